// A C++ source file as the house's rules see it: its includes and its identifiers. Comments and literals say what they
// like.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace evaljob::house {

struct Include {
    std::size_t line = 0;
    std::string path;     // without its brackets or quotes
    bool quoted = false;  // "…", not <…>
};

struct Identifier {
    std::size_t line = 0;
    std::string text;
    std::string qualifier;  // what stands in front of it: "std" of std::time, "." of a.time; empty: nothing
    bool called = false;    // an opening parenthesis follows
};

struct SourceFile {
    std::string path;  // from the root: "api/names.hpp"
    std::size_t lines = 0;
    bool once = false;  // has #pragma once
    std::vector<Include> includes;
    std::vector<Identifier> identifiers;  // outside of preprocessor lines
};

SourceFile scan(std::string path, std::string_view text);

/// Every .cpp and .hpp below these folders of the root.
std::vector<SourceFile> read_sources(const std::string& root, const std::vector<std::string>& folders);

/// The words of an identifier, in lower case: "fooBar_Baz" → foo, bar, baz.
std::vector<std::string> words_of(std::string_view name);

}  // namespace evaljob::house
