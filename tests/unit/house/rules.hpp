// The rules of the house as values. Each gives its violations, a line each: "api/base64.cpp:7: includes …".
#pragma once

#include <string>
#include <vector>

#include "source_file.hpp"

namespace evaljob::house {

using Violations = std::vector<std::string>;

/// Files by how their path begins: "api/" is a folder, "api/yaml." one header and its source.
struct Files {
    std::vector<std::string> beginnings;
    std::vector<std::string> but;

    bool contain(const std::string& path) const;
};

/// These files include nothing whose path begins so: "boost/asio" or "torch/".
struct NeverIncludes {
    const char* name;
    Files where;
    std::vector<std::string> beginnings;
};
Violations check(const NeverIncludes& rule, const std::vector<SourceFile>& files);

/// What these files include of our own is here, and nowhere else.
struct IncludesOnly {
    const char* name;
    Files where;
    Files ours;
};
Violations check(const IncludesOnly& rule, const std::vector<SourceFile>& files);

/// These files name none of these; those in `functions` are forbidden only where they are called, free or as std::.
struct NeverNames {
    const char* name;
    Files where;
    std::vector<std::string> names;
    std::vector<std::string> functions;
};
Violations check(const NeverNames& rule, const std::vector<SourceFile>& files);

/// No identifier and no file name has one of these words, but for names that others gave ("Json::error_handler_t").
struct NeverWords {
    const char* name;
    Files where;
    std::vector<std::string> words;
    std::vector<std::string> names_of_others;
};
Violations check(const NeverWords& rule, const std::vector<SourceFile>& files);

Violations headers_without_once(const std::vector<SourceFile>& files);
Violations longer_than(std::size_t lines, const std::vector<SourceFile>& files);

}  // namespace evaljob::house
