#include "api/nearest_word.hpp"

#include <algorithm>
#include <string_view>

#include "api/printable.hpp"

namespace evaljob {

namespace {

constexpr std::size_t longest_word = 64;  // bytes; nobody meant anything by a longer one

/// Levenshtein's distance, over bytes.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = 1 + word.size() / 3;
    if (word.size() > longest_word) return best;
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(word, candidate);
        if (d < best_distance || (best.empty() && d == best_distance)) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

std::string unknown_word(const std::string& what, const std::string& word, const std::vector<std::string>& known) {
    const std::string lead = "there is no " + what + " " + printable(word.substr(0, longest_word)) + "; ";
    if (const std::string meant = nearest_word(word, known); !meant.empty())
        return lead + "did you mean " + meant + "?";
    std::string all;
    for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
    return lead + "there are " + all;
}

std::string mistyped_command(int argc, const char* const* argv, const std::vector<std::string>& commands) {
    if (argc < 2 || argv[1][0] == '-') return "";
    if (std::find(commands.begin(), commands.end(), argv[1]) != commands.end()) return "";
    return unknown_word("command", argv[1], commands) + "\nRun with --help for more information.";
}

}  // namespace evaljob
