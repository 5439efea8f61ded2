// The model's file as the engines of libtorch take it: read once for all ranks of a node, where they share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/memory_file.hpp"

namespace evaljob {

struct ModelFile {
    std::string path;
    std::string sha256;  // as the manifest has it; empty: not checked
};

/// Reads pieces of the file. Fails with BadInput, naming it.
class ModelReader {
public:
    static Result<ModelReader> open(const std::string& path);
    std::uint64_t size() const { return size_; }
    Result<void> read(std::uint64_t offset, char* to, std::size_t count) const;

private:
    ModelReader(std::string path, FileDescriptor file, std::uint64_t size)
        : path_(std::move(path)), file_(std::move(file)), size_(size) {}
    std::string path_;
    FileDescriptor file_;
    std::uint64_t size_;
};

/// Another way to the file's bytes than reading it all, for the process that fills its node's memory file. When it
/// fails, or the bytes are others, the file is read after all.
using FromOthers = std::function<Result<void>(const ModelReader& reader, char* to)>;

/// The file's bytes, which must be those of its digest. With a memory file one of the processes that share it brings
/// them there, and the others wait for that as long as it makes headway; without, they are this process's own. Fails
/// with BadInput, naming the file.
Result<SharedBytes> read_model_file(const ModelFile& file, MemoryFile* of_node, const FromOthers& from_others = {});

}  // namespace evaljob
