// A dataset's file of text: read once from end to end, for its digest and for where its samples lie; then a part of it
// at a time, when that is asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

inline constexpr std::uint64_t max_text_sample_bytes = 100'000'000;  // a line, or a row of several

/// How many of its samples count.
std::uint64_t sample_limit(const Dataset& dataset);

class TextFile {
public:
    TextFile(const Dataset& dataset, const std::string& storage_root);

    /// The file block by block. Fails with BadInput, naming field and file: missing, compressed, or of another digest
    /// than the EvalJob says.
    Result<void> read(const std::function<void(std::string_view block)>& take);

    /// A part that lay there then. `place` is what a refusal calls it.
    Result<std::string> part(std::uint64_t offset, std::uint64_t length, const std::string& place);

    const std::string& path() const { return path_; }      // resolved
    const std::string& sha256() const { return sha256_; }  // when it has been read

    /// Led by the dataset's name and the field.
    tl::unexpected<Error> refused(const std::string& what) const;
    /// For a sample that is too long to be read.
    tl::unexpected<Error> too_long(const std::string& place) const;

private:
    Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t count);

    Dataset dataset_;
    std::string path_;
    FileDescriptor file_;
    std::string sha256_;
};

}  // namespace evaljob
