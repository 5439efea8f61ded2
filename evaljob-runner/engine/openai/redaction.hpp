// Keys in the words of others: a server may say back what it was sent, and what it says ends in logs and results. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace evaljob::openai {

inline constexpr const char* cut_out = "[key]";  // what stands in a key's place

// Local servers have keys such as EMPTY, which are words too.
inline constexpr std::size_t least_inside_words = 8;  // a shorter key is cut out only where it is a word of its own
inline constexpr std::size_t least_in_answers = 16;   // an answer that has a shorter one is an answer

class Redaction {
public:
    /// A key, a password. Also found as JSON and URLs escape it, and within base64.
    void add(const std::string& secret);
    /// A header's value: all of it, what stands behind its scheme ("Bearer …"), and what base64 of "Basic …" holds.
    void add_header(const std::string& value);

    /// The text without them.
    std::string cut(std::string text) const;
    /// Whether one of `least_in_answers` characters or more stands in it.
    bool is_in_answer(std::string_view text) const;

private:
    struct Secret {
        std::string text;
        bool long_one = false;  // of least_in_answers or more, or made of such a one
    };

    void add_form(std::string text, bool long_one);
    /// The length of what stands for a secret at `at`; 0: none does.
    std::size_t found(std::string_view text, std::size_t at, bool only_long) const;

    std::vector<Secret> secrets_;  // the longest first
    bool begins_[256] = {};        // what a secret can begin with
};

}  // namespace evaljob::openai
