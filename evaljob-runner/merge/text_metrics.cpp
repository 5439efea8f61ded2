#include "evaljob-runner/merge/text_metrics.hpp"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "evaljob-runner/merge/characters.hpp"

namespace evaljob {

namespace {

bool is_ascii_punctuation(char32_t c) { return c < 0x80 && std::ispunct(static_cast<int>(c)) != 0; }

bool is_article(const Characters& text, std::size_t begin, std::size_t end) {
    const std::u32string word(text.begin() + static_cast<std::ptrdiff_t>(begin),
                              text.begin() + static_cast<std::ptrdiff_t>(end));
    return word == U"a" || word == U"an" || word == U"the";
}

/// A text that grows, with a single space wherever there was a gap between its characters.
class Spaced {
public:
    void gap() { gap_ = true; }
    void put(char32_t c) {
        if (gap_ && !text_.empty()) text_ += ' ';
        gap_ = false;
        append_character(text_, c);
    }
    std::string text() && { return std::move(text_); }

private:
    std::string text_;
    bool gap_ = false;
};

/// White space becomes single spaces between words.
std::string spaced(const Characters& text) {
    Spaced result;
    for (const char32_t c : text) {
        if (is_white_space(c))
            result.gap();
        else
            result.put(c);
    }
    return std::move(result).text();
}

/// The same, and articles become a space.
std::string without_articles(const Characters& text) {
    Spaced result;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && is_part_of_word(text[end])) ++end;
        if (end == i) {
            if (is_white_space(text[i]))
                result.gap();
            else
                result.put(text[i]);
            ++i;
            continue;
        }
        if (is_article(text, i, end)) {
            result.gap();
        } else {
            for (std::size_t at = i; at < end; ++at) result.put(text[at]);
        }
        i = end;
    }
    return std::move(result).text();
}

bool is_blank(const Characters& text) { return std::all_of(text.begin(), text.end(), is_white_space); }

}  // namespace

std::string normalized_text(std::string_view text) {
    const Characters lower = lower_case(characters_of(text));
    Characters plain = lower;
    std::erase_if(plain, is_ascii_punctuation);
    // Else "..." would be the same as no answer at all, and both the same as the answer A.
    if (is_blank(plain)) return spaced(lower);
    std::string words = without_articles(plain);
    return words.empty() ? spaced(plain) : words;
}

bool matches(TaskMetric metric, std::string_view prediction, std::string_view target) {
    if (metric != TaskMetric::NormalizedExactMatch) return prediction == target;
    return normalized_text(prediction) == normalized_text(target);
}

}  // namespace evaljob
