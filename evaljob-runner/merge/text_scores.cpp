#include "evaljob-runner/merge/text_scores.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <unordered_map>

#include "evaljob-runner/merge/characters.hpp"
#include "evaljob-runner/merge/text_metrics.hpp"

namespace evaljob {

namespace {

/// The runs of characters for which `is_part` holds.
template <class IsPart>
std::vector<std::string_view> words_of(std::string_view text, IsPart is_part) {
    std::vector<std::string_view> words;
    for (auto at = text.begin(); at != text.end();) {
        const auto begin = std::find_if(at, text.end(), is_part);
        const auto end = std::find_if_not(begin, text.end(), is_part);
        if (begin != end)
            words.push_back(
                text.substr(static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin)));
        at = end;
    }
    return words;
}

/// How many words both have, one that stands there twice counted twice where both have it twice.
std::uint64_t common_words(std::vector<std::string_view> a, std::vector<std::string_view> b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    std::vector<std::string_view> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return common.size();
}

using Numbers = std::vector<std::uint32_t>;

/// Equal words get equal numbers, from 0.
Numbers numbered(const std::vector<std::string_view>& words,
                 std::unordered_map<std::string_view, std::uint32_t>& known) {
    Numbers numbers;
    for (const std::string_view word : words)
        numbers.push_back(known.emplace(word, static_cast<std::uint32_t>(known.size())).first->second);
    return numbers;
}

/// The length of the longest common subsequence, 64 words of `b` at a time (Hyyrö's bits: one is 0 where the row of
/// the usual table steps up). What a sum carries out of 64 bits is kept for each word of `a`. Memory is linear.
std::uint64_t common_subsequence(const Numbers& a, const Numbers& b, std::size_t kinds) {
    constexpr std::size_t block = 64;
    std::vector<std::uint64_t> places(kinds);     // of a kind of word: where it stands in this block
    std::vector<std::uint8_t> carried(a.size());  // from the block before
    std::uint64_t length = 0;
    for (std::size_t begin = 0; begin < b.size(); begin += block) {
        const std::size_t count = std::min(block, b.size() - begin);
        for (std::size_t i = 0; i < count; ++i) places[b[begin + i]] |= std::uint64_t{1} << i;
        std::uint64_t row = ~std::uint64_t{0};
        for (std::size_t i = 0; i < a.size(); ++i) {
            const std::uint64_t matching = row & places[a[i]];
            const std::uint64_t sum = row + matching;
            const std::uint64_t whole = sum + carried[i];
            carried[i] = sum < row || whole < sum ? 1 : 0;
            row = whole | (row - matching);
        }
        const std::uint64_t used = count == block ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
        length += static_cast<std::uint64_t>(std::popcount(~row & used));
        for (std::size_t i = 0; i < count; ++i) places[b[begin + i]] = 0;
    }
    return length;
}

/// Of `common` words that are right, the harmonic mean of their shares in both texts.
Fraction f_measure(std::uint64_t common, std::size_t a, std::size_t b) { return {2 * common, a + b}; }

std::string lower_text(std::string_view text) {
    std::string lower;
    for (const char32_t c : lower_case(characters_of(text))) append_character(lower, c);
    return lower;
}

}  // namespace

Points points_of(const Fraction& fraction) {
    const std::uint64_t half = fraction.denominator;
    return static_cast<Points>((2 * fraction.numerator * full_points + half) / (2 * fraction.denominator));
}

Fraction token_f1(std::string_view prediction, std::string_view target) {
    const auto is_part = [](char c) { return c != ' '; };
    const std::string given = normalized_text(prediction);
    const std::string right = normalized_text(target);
    const auto a = words_of(given, is_part);
    const auto b = words_of(right, is_part);
    if (a.empty() || b.empty()) return {a.empty() && b.empty() ? 1U : 0U, 1};
    return f_measure(common_words(a, b), a.size(), b.size());
}

Fraction rouge_l(std::string_view prediction, std::string_view target) {
    const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const std::string given = lower_text(prediction);
    const std::string right = lower_text(target);
    std::unordered_map<std::string_view, std::uint32_t> known;
    const Numbers a = numbered(words_of(given, is_part), known);
    const Numbers b = numbered(words_of(right, is_part), known);
    if (a.empty() || b.empty()) return {};
    return f_measure(common_subsequence(a, b, known.size()), a.size(), b.size());
}

}  // namespace evaljob
