#include "evaljob-runner/merge/text_metrics.hpp"

#include <algorithm>
#include <cctype>
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

/// Articles become a space, and white space single spaces between words.
std::string without_articles(const Characters& text) {
    std::string result;
    bool gap = false;
    const auto put = [&](char32_t c) {
        if (gap && !result.empty()) result += ' ';
        gap = false;
        append_character(result, c);
    };
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && is_part_of_word(text[end])) ++end;
        if (end == i) {
            if (is_white_space(text[i]))
                gap = true;
            else
                put(text[i]);
            ++i;
            continue;
        }
        if (is_article(text, i, end)) {
            gap = true;
        } else {
            for (std::size_t at = i; at < end; ++at) put(text[at]);
        }
        i = end;
    }
    return result;
}

}  // namespace

std::string normalized_text(std::string_view text) {
    Characters characters = lower_case(characters_of(text));
    std::erase_if(characters, is_ascii_punctuation);
    return without_articles(characters);
}

bool matches(TaskMetric metric, std::string_view prediction, std::string_view target) {
    if (metric != TaskMetric::NormalizedExactMatch) return prediction == target;
    return normalized_text(prediction) == normalized_text(target);
}

}  // namespace evaljob
