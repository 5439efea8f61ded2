#include "rules.hpp"

#include <algorithm>

namespace evaljob::house {

namespace {

bool begins_with_any(const std::string& text, const std::vector<std::string>& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return text.starts_with(b); });
}

bool is_any(const std::string& text, const std::vector<std::string>& all) {
    return std::find(all.begin(), all.end(), text) != all.end();
}

std::string at(const SourceFile& file, std::size_t line) { return file.path + ":" + std::to_string(line) + ": "; }

std::string forbidden_word(const std::string& text, const std::vector<std::string>& forbidden) {
    for (const std::string& word : words_of(text)) {
        for (const std::string& bad : forbidden) {
            if (word == bad || word == bad + "s") return word;
        }
    }
    return "";
}

}  // namespace

bool Files::contain(const std::string& path) const {
    return begins_with_any(path, beginnings) && !begins_with_any(path, but);
}

Violations check(const NeverIncludes& rule, const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (!rule.where.contain(file.path)) continue;
        for (const Include& include : file.includes) {
            if (begins_with_any(include.path, rule.beginnings))
                violations.push_back(at(file, include.line) + "includes " + include.path);
        }
    }
    return violations;
}

Violations check(const IncludesOnly& rule, const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (!rule.where.contain(file.path)) continue;
        for (const Include& include : file.includes) {
            if (include.quoted && !rule.ours.contain(include.path))
                violations.push_back(at(file, include.line) + "includes " + include.path);
        }
    }
    return violations;
}

Violations check(const NeverNames& rule, const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (!rule.where.contain(file.path)) continue;
        for (const Identifier& name : file.identifiers) {
            const bool free = name.qualifier.empty() || name.qualifier == "::" || name.qualifier == "std";
            if (is_any(name.text, rule.names) || (name.called && free && is_any(name.text, rule.functions)))
                violations.push_back(at(file, name.line) + "names " + name.text);
        }
    }
    return violations;
}

Violations check(const NeverWords& rule, const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (!rule.where.contain(file.path)) continue;
        if (const auto word = forbidden_word(file.path, rule.words); !word.empty())
            violations.push_back(at(file, 1) + "the file's path has the word " + word);
        for (const Identifier& name : file.identifiers) {
            const std::string whole = name.qualifier.empty() ? name.text : name.qualifier + "::" + name.text;
            const auto word = forbidden_word(name.text, rule.words);
            if (!word.empty() && !is_any(whole, rule.names_of_others))
                violations.push_back(at(file, name.line) + whole + " has the word " + word);
        }
    }
    return violations;
}

Violations headers_without_once(const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (file.path.ends_with(".hpp") && !file.once) violations.push_back(at(file, 1) + "has no #pragma once");
    }
    return violations;
}

Violations longer_than(std::size_t lines, const std::vector<SourceFile>& files) {
    Violations violations;
    for (const SourceFile& file : files) {
        if (file.lines > lines)
            violations.push_back(at(file, file.lines) + "is longer than " + std::to_string(lines) + " lines");
    }
    return violations;
}

}  // namespace evaljob::house
