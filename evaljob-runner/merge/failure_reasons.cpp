#include "evaljob-runner/merge/failure_reasons.hpp"

#include <algorithm>
#include <unordered_map>

namespace evaljob {

namespace {

constexpr std::size_t max_kinds = 1000;      // whatever is beyond is one kind
constexpr std::size_t max_kind_bytes = 400;  // what decides of a long error
constexpr std::size_t shown_kinds = 3;
constexpr std::size_t shown_bytes = 200;
constexpr std::size_t least_key_bytes = 8;
constexpr const char* many_others = "many other reasons";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A number that tells reasons apart.
bool is_status(std::string_view word) {
    return word.size() == 3 && (word.front() == '4' || word.front() == '5') && std::ranges::all_of(word, is_digit);
}

bool differs_by_sample(std::string_view word) {
    if (std::ranges::none_of(word, is_digit) || is_status(word)) return false;
    return std::ranges::all_of(word, is_digit) || word.size() >= least_key_bytes;
}

std::string shortened(const std::string& text) {
    if (text.size() <= shown_bytes) return text;
    std::size_t end = shown_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

}  // namespace

std::string alike(std::string_view error, std::string_view id) {
    error = error.substr(0, max_kind_bytes);
    std::string kind;
    for (std::size_t at = 0; at < error.size();) {
        if (!id.empty() && error.substr(at).starts_with(id) && (at == 0 || !is_word(error[at - 1])) &&
            (at + id.size() == error.size() || !is_word(error[at + id.size()]))) {
            kind += '#';
            at += id.size();
            continue;
        }
        std::size_t end = at;
        while (end < error.size() && is_word(error[end])) ++end;
        const std::string_view word = error.substr(at, std::max(end, at + 1) - at);
        kind += differs_by_sample(word) ? "#" : word;
        at += word.size();
    }
    return kind;
}

std::vector<FailureReason> failure_reasons(const Manifest& manifest, const Proof& proof) {
    std::vector<FailureReason> reasons;
    std::unordered_map<std::string, std::size_t> places;
    for (std::uint64_t item = 0; item < proof.items && proof.failed.count > 0; ++item) {
        const Outcome outcome = proof.outcome(item);
        if (outcome.state != ItemState::Failed) continue;
        std::string kind = alike(outcome.error, manifest.samples[item / manifest.repeats].id);
        const bool is_new = !places.contains(kind);
        if (is_new && places.size() >= max_kinds) kind = many_others;
        const auto [place, added] = places.emplace(kind, reasons.size());
        if (added) reasons.push_back({kind == many_others ? many_others : std::string(outcome.error), 0});
        ++reasons[place->second].count;
    }
    std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
    return reasons;
}

std::string words_of(const std::vector<FailureReason>& reasons) {
    std::string words;
    std::uint64_t others = 0;
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        const FailureReason& reason = reasons[i];
        if (i >= shown_kinds) {
            others += reason.count;
            continue;
        }
        words += words.empty() ? "" : "; ";
        words += reason.count == 1 ? "once: " : std::to_string(reason.count) + " times: ";
        words += shortened(reason.example);
    }
    if (others > 0) words += "; " + std::to_string(others) + " for other reasons";
    return words;
}

}  // namespace evaljob
