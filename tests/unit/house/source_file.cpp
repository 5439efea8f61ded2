#include "source_file.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace evaljob::house {

namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Where the comment or literal that begins at `at` ends; `at` itself when none does.
std::size_t end_of_blank(std::string_view text, std::size_t at) {
    const auto behind = [&](std::string_view end, std::size_t from) {
        const std::size_t found = text.find(end, from);
        return found == std::string_view::npos ? text.size() : found + end.size();
    };
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
    if (rest.starts_with("/*")) return behind("*/", at + 2);
    if (rest.starts_with("R\"")) {
        const std::size_t open = text.find('(', at);
        return behind(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
    }
    if (rest.front() != '"' && rest.front() != '\'') return at;
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != rest.front() && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
    return std::min(end + 1, text.size());
}

/// The same text with spaces in place of comments and literals; lines stay lines.
std::string without_comments_and_literals(std::string_view text) {
    std::string code(text);
    for (std::size_t at = 0; at < text.size();) {
        if (is_digit(text[at])) {  // the apostrophes of 1'000'000 begin no literal
            while (at < text.size() && (is_name(text[at]) || text[at] == '\'')) ++at;
            continue;
        }
        const std::size_t end = end_of_blank(text, at);
        std::replace_if(
            code.begin() + static_cast<std::ptrdiff_t>(at), code.begin() + static_cast<std::ptrdiff_t>(end),
            [](char c) { return c != '\n'; }, ' ');
        const bool name = is_name(text[at]);
        at = std::max(end, at + 1);
        while (name && end < at && at < text.size() && is_name(text[at]) && text[at] != 'R') ++at;
    }
    return code;
}

bool is_directive(std::string_view code) {
    const std::size_t first = code.find_first_not_of(" \t");
    return first != std::string_view::npos && code[first] == '#';
}

/// What stands in front of an identifier, by the code in front of it on its line.
std::string qualifier_in(std::string_view front) {
    front = front.substr(0, front.find_last_not_of(" \t") + 1);
    if (front.ends_with('.') || front.ends_with("->")) return ".";
    if (!front.ends_with("::")) return "";
    front.remove_suffix(2);
    const auto begin = std::find_if_not(front.rbegin(), front.rend(), is_name).base();
    return begin == front.end() ? "::" : std::string(begin, front.end());
}

void take_directive(SourceFile& file, std::size_t number, const std::string& line) {
    std::istringstream words(line.substr(line.find('#') + 1));
    std::string what;
    std::string argument;
    words >> what >> argument;
    if (what == "pragma" && argument == "once") file.once = true;
    if (what != "include" || argument.size() < 3) return;
    const std::size_t end = argument.find_first_of(">\"", 1);
    file.includes.push_back({number, argument.substr(1, end - 1), argument.front() == '"'});
}

void take_identifiers(SourceFile& file, std::size_t number, const std::string& code) {
    for (std::size_t at = 0; at < code.size();) {
        std::size_t end = at;
        while (end < code.size() && is_name(code[end])) ++end;
        if (end > at && !is_digit(code[at])) {
            const std::size_t next = code.find_first_not_of(' ', end);
            const bool called = next != std::string::npos && code[next] == '(';
            file.identifiers.push_back(
                {number, code.substr(at, end - at), qualifier_in(std::string_view(code).substr(0, at)), called});
        }
        at = std::max(end, at + 1);
    }
}

}  // namespace

SourceFile scan(std::string path, std::string_view text) {
    SourceFile file;
    file.path = std::move(path);
    std::istringstream raw{std::string(text)};
    std::istringstream code(without_comments_and_literals(text));
    for (std::string raw_line, line; std::getline(raw, raw_line) && std::getline(code, line);) {
        ++file.lines;
        if (is_directive(line)) {
            take_directive(file, file.lines, raw_line);
        } else {
            take_identifiers(file, file.lines, line);
        }
    }
    return file;
}

std::vector<SourceFile> read_sources(const std::string& root, const std::vector<std::string>& folders) {
    namespace fs = std::filesystem;
    std::vector<SourceFile> files;
    for (const std::string& folder : folders) {
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
            const std::string extension = entry.path().extension().string();
            if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
            std::ifstream stream(entry.path());
            std::stringstream text;
            text << stream.rdbuf();
            if (!stream) throw std::runtime_error("cannot read " + entry.path().string());
            files.push_back(scan(fs::relative(entry.path(), root).generic_string(), text.str()));
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words;
    bool in_word = false;
    bool was_lower = false;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool lower = std::islower(byte) != 0 || std::isdigit(byte) != 0;
        const bool upper = std::isupper(byte) != 0;
        if (!in_word || (upper && was_lower)) {
            if (lower || upper) words.emplace_back();
        }
        in_word = lower || upper;
        if (in_word) words.back() += static_cast<char>(std::tolower(byte));
        was_lower = lower;
    }
    return words;
}

}  // namespace evaljob::house
