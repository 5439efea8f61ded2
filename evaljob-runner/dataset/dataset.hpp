// A dataset's samples in their own order. Reading is by index, so that whoever holds a lease reads what it names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/evaljob.hpp"
#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob {

// Of what names a sample or its group, and of its right answer: the manifest holds them.
inline constexpr std::size_t max_id_bytes = 1024;
inline constexpr std::size_t max_group_bytes = 1024;
inline constexpr std::size_t max_target_bytes = std::size_t{1} << 20U;

struct Sample {
    std::string id;
    std::vector<std::int64_t> shape;  // of the content, row-major; IDX images: [1, height, width]
    std::string_view bytes;           // unsigned bytes; valid as long as the reader
    std::string input;                // JSONL, TSV: an object as JSON text, members as they stand in the line
    std::string image;                // TSV: a file's bytes, PNG or JPEG; empty: none
    Json target;                      // Classification: the class as an integer; Generation: a text, or several
    std::string group;                // the name of the target's class, or what task.groupBy names
    std::string image_error;          // TSV: why the file that image_path names cannot be read; the sample fails
};

class DatasetReader {
public:
    virtual ~DatasetReader() = default;
    virtual std::uint64_t size() const = 0;
    /// Fails with BadInput, naming file and line, or ReadFailed. Thread rule: one thread.
    virtual Result<Sample> sample(std::uint64_t index) = 0;
    /// Where a sample stands, for a person: "lines.jsonl line 7".
    virtual std::string place(std::uint64_t index) const = 0;
    /// The digests of the files as they lie there, for the manifest's config: {"sha256": …, "labelsSha256": …}.
    virtual Json digests() const = 0;
};

/// Opens the files and checks their digests where the EvalJob names them. Fails with BadInput, naming field and file.
Result<std::unique_ptr<DatasetReader>> open_dataset(const Dataset& dataset, const std::string& storage_root);

/// Of a sample's shape, bytes, input, image and target: 32 hex characters.
std::string content_hash(const Sample& sample);

/// Of a file that the EvalJob names: what is wrong, led by the field.
tl::unexpected<Error> bad_input(const Dataset& dataset, const std::string& what);  // led by the dataset's name
std::string unreadable(const std::string& field, const Error& error);

/// What such an input ends with: BadInput, or where another try may read it ReadFailed.
tl::unexpected<Error> input_failure(const std::string& field, const Error& error);
std::string other_sha256(const std::string& field, const std::string& path, const std::string& is,
                         const std::string& expected);

/// `path` below `root`, unless it is absolute.
std::string resolve_path(const std::string& root, const std::string& path);

}  // namespace evaljob
