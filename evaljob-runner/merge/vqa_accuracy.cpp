// VQA's accuracy. Its normalisation has corners that look like mistakes and are kept, because published numbers have
// them: docs/results.md lists them.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "evaljob-runner/merge/characters.hpp"
#include "evaljob-runner/merge/text_scores.hpp"

namespace evaljob {

namespace {

constexpr std::size_t most_full_stops = 32;  // of a text are dropped
constexpr std::string_view punctuation = ";/[]\"{}()=+\\_-><@`,?!";

// A word that lacks one of its apostrophes gets it.
constexpr std::array<std::string_view, 92> words_with_apostrophes{
    "'ow's'at",     "'twas",      "ain't",        "aren't",     "can't",        "could've",      "couldn't",
    "couldn't've",  "didn't",     "doesn't",      "don't",      "hadn't",       "hadn't've",     "hasn't",
    "haven't",      "he'd",       "he'd've",      "he's",       "how'd",        "how'll",        "how's",
    "isn't",        "it'd",       "it'd've",      "it'll",      "ma'am",        "might've",      "mightn't",
    "mightn't've",  "must've",    "mustn't",      "needn't",    "not've",       "o'clock",       "oughtn't",
    "shan't",       "she'd've",   "should've",    "shouldn't",  "shouldn't've", "somebody'd've", "somebody'll",
    "somebody's",   "someone'd",  "someone'd've", "someone'll", "someone's",    "something'd",   "something'd've",
    "something'll", "that's",     "there'd",      "there'd've", "there're",     "there's",       "they'd",
    "they'd've",    "they'll",    "they're",      "they've",    "wasn't",       "we'd've",       "we've",
    "weren't",      "what'll",    "what're",      "what's",     "what've",      "when's",        "where'd",
    "where's",      "where've",   "who'd",        "who'd've",   "who'll",       "who's",         "who've",
    "why'll",       "why're",     "why's",        "won't",      "would've",     "wouldn't",      "wouldn't've",
    "y'all",        "y'all'd've", "y'all'll",     "you'd",      "you'd've",     "you'll",        "you're",
    "you've"};

using Spellings = std::unordered_map<std::string, std::string>;

/// What a word becomes: numbers digits, contractions whole. (In the original somebody'd loses its apostrophe.)
const Spellings& spellings() {
    static const Spellings all = [] {
        Spellings words{{"none", "0"},
                        {"zero", "0"},
                        {"one", "1"},
                        {"two", "2"},
                        {"three", "3"},
                        {"four", "4"},
                        {"five", "5"},
                        {"six", "6"},
                        {"seven", "7"},
                        {"eight", "8"},
                        {"nine", "9"},
                        {"ten", "10"},
                        {"somebody'd", "somebodyd"}};
        for (const std::string_view word : words_with_apostrophes)
            for (std::size_t at = word.find('\''); at != std::string_view::npos; at = word.find('\'', at + 1))
                words.emplace(std::string(word.substr(0, at)) + std::string(word.substr(at + 1)), word);
        return words;
    }();
    return all;
}

bool is_punctuation(char32_t c) { return c < 0x80 && punctuation.find(static_cast<char>(c)) != std::string_view::npos; }

/// Whether anywhere a comma stands between digits: then all punctuation is dropped.
bool has_long_number(const Characters& text) {
    for (std::size_t i = 1; i + 1 < text.size(); ++i)
        if (text[i] == ',' && is_digit(text[i - 1]) && is_digit(text[i + 1])) return true;
    return false;
}

/// Whether this mark stands beside a space anywhere: then it is dropped everywhere, else it becomes a space.
bool stands_at_space(const Characters& text, char32_t mark) {
    for (std::size_t i = 0; i + 1 < text.size(); ++i)
        if ((text[i] == mark && text[i + 1] == ' ') || (text[i] == ' ' && text[i + 1] == mark)) return true;
    return false;
}

Characters without_punctuation(const Characters& text) {
    const bool all = has_long_number(text);
    std::set<char32_t> dropped;
    for (const char mark : punctuation)
        if (all || stands_at_space(text, static_cast<char32_t>(mark))) dropped.insert(static_cast<char32_t>(mark));
    Characters spaced;
    for (const char32_t c : text) {
        if (!is_punctuation(c))
            spaced.push_back(c);
        else if (!dropped.contains(c))
            spaced.push_back(' ');
    }
    Characters result;
    std::size_t full_stops = 0;
    for (std::size_t i = 0; i < spaced.size(); ++i) {
        const bool drop = spaced[i] == '.' && (i + 1 == spaced.size() || !is_digit(spaced[i + 1]));
        if (drop && full_stops < most_full_stops)
            ++full_stops;
        else
            result.push_back(spaced[i]);
    }
    return result;
}

enum class Articles { Go, Stay };

/// In lower case, each word as spellings() has it, single spaces between them.
std::string respelled(const Characters& lower, Articles articles) {
    std::string result;
    for (auto at = lower.begin(); at != lower.end();) {
        const auto begin = std::find_if_not(at, lower.end(), is_white_space);
        const auto end = std::find_if(begin, lower.end(), is_white_space);
        at = end;
        std::string word;
        for (auto c = begin; c != end; ++c) append_character(word, *c);
        const bool is_article = word == "a" || word == "an" || word == "the";
        if (word.empty() || (is_article && articles == Articles::Go)) continue;
        const auto found = spellings().find(word);
        result += result.empty() ? "" : " ";
        result += found == spellings().end() ? word : found->second;
    }
    return result;
}

/// What is compared where people disagree. A step that would leave nothing leaves the text as it is, in which this
/// differs from the original: there an empty answer is the same as "a" and as "?".
std::string normalized(const Characters& text) {
    const Characters plain = without_punctuation(text);
    const bool nothing_left = std::all_of(plain.begin(), plain.end(), is_white_space);
    const Characters lower = lower_case(nothing_left ? text : plain);
    std::string words = respelled(lower, Articles::Go);
    return words.empty() ? respelled(lower, Articles::Stay) : words;
}

/// Without white space at the ends; line ends and tabs are spaces.
Characters trimmed(std::string_view text) {
    Characters characters = characters_of(text);
    for (char32_t& c : characters)
        if (c == '\n' || c == '\t') c = ' ';
    const auto begin = std::find_if_not(characters.begin(), characters.end(), is_white_space);
    const auto end = std::find_if_not(characters.rbegin(), characters.rend(), is_white_space).base();
    return begin < end ? Characters(begin, end) : Characters();
}

}  // namespace

Fraction vqa_accuracy(std::string_view prediction, const std::vector<std::string>& answers) {
    if (answers.empty()) return {};
    std::vector<Characters> given;
    for (const std::string& answer : answers) given.push_back(trimmed(answer));
    const Characters said = trimmed(prediction);
    // Where all say the same, that is compared as it stands.
    const bool agree = std::all_of(given.begin(), given.end(), [&](const Characters& c) { return c == given.front(); });
    std::uint64_t matching = 0;
    const std::string normalized_said = agree ? "" : normalized(said);
    for (const Characters& answer : given) {
        const bool same = agree ? answer == said : normalized(answer) == normalized_said;
        matching += same ? 1 : 0;
    }
    const std::uint64_t all = answers.size();
    if (all == 1) return {matching, 1};
    const std::uint64_t enough = std::min<std::uint64_t>(3, all - 1);
    const std::uint64_t without_it = matching == 0 ? 0 : std::min(enough, matching - 1);
    return {matching * without_it + (all - matching) * std::min(enough, matching), enough * all};
}

}  // namespace evaljob
