// Dataset files: gzip or plain bytes, then IDX. The input is a file of images, or with a first byte of 1 both files:
// two bytes of length, so many of images, the rest of labels.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/dataset/gzip_file.hpp"
#include "evaljob-runner/dataset/idx.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

constexpr std::uint64_t most_bytes = 1U << 17U;

/// A file in memory.
class File {
public:
    explicit File(std::string_view bytes) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
        fuzz::require(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                      "memory takes the input");
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

void check_idx(std::string_view bytes) {
    const auto array = read_idx(bytes);
    if (!array) return fuzz::require(array.error().reason == "BadInput", "a refusal is one of bad input");
    std::int64_t elements = 1;
    for (const auto dimension : array->shape) {
        fuzz::require(dimension >= 0, "no dimension is negative");
        elements *= dimension;
    }
    fuzz::require(static_cast<std::int64_t>(array->elements.size()) == elements, "there are as many as stated");
    fuzz::require(array->elements.data() + array->elements.size() == bytes.data() + bytes.size(),
                  "the elements are the rest of the file");
}

void check_dataset(std::string_view images, std::string_view labels) {
    const File images_file(images);
    const File labels_file(labels);
    Dataset dataset;
    dataset.name = "d";
    dataset.path = images_file.path();
    dataset.labels_path = labels_file.path();
    dataset.task.classes = {"a", "b", "c"};
    const auto reader = open_dataset(dataset, "/");
    if (!reader) return fuzz::require(reader.error().message.starts_with("dataset d: "), "a refusal names the dataset");
    fuzz::require((*reader)->size() > 0, "a dataset has a sample");
    for (std::uint64_t i = 0; i < (*reader)->size(); ++i) {
        const Sample sample = (*reader)->sample(i).value();
        std::size_t bytes = 1;
        for (const auto dimension : sample.shape) bytes *= static_cast<std::size_t>(dimension);
        fuzz::require(sample.bytes.size() == bytes, "a sample has the bytes of its shape");
        fuzz::require(sample.target.get<int>() < 3, "a target is one of the classes");
        fuzz::require(content_hash(sample).size() == 32, "a sample has a hash");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    if (size >= 3 && bytes[0] == 1) {
        const std::size_t length = bytes[1] + std::size_t{256} * bytes[2];
        check_dataset(text.substr(3, length), text.substr(std::min(size, 3 + length)));
        return 0;
    }
    const File file(text);
    const auto content = read_gzip_or_plain(file.path(), most_bytes);
    fuzz::require(!content || content->size() <= most_bytes, "no more is decompressed than the limit");
    check_idx(content ? *content : text);
    return 0;
}
