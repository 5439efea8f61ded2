#include "evaljob-runner/dataset/dataset.hpp"

#include <algorithm>
#include <filesystem>

#include "api/canonical_json.hpp"
#include "api/digest.hpp"
#include "evaljob-runner/dataset/gzip_file.hpp"
#include "evaljob-runner/dataset/idx.hpp"
#include "evaljob-runner/dataset/json_lines.hpp"
#include "evaljob-runner/dataset/tsv_dataset.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t max_file_bytes = std::uint64_t{8} << 30;

/// A file of a dataset, as the EvalJob names it.
struct NamedFile {
    std::string path;  // resolved
    std::string expected_sha256;
    const char* path_field;
    const char* sha256_field;
};

struct LoadedFile {
    std::string content;
    std::string sha256;  // of the file as it lies there
};

Result<LoadedFile> load(const Dataset& dataset, const NamedFile& file) {
    const std::string field = "dataset " + dataset.name + ": " + file.path_field;
    auto digest = file_sha256(file.path);
    if (!digest) return input_failure(field, digest.error());
    if (!file.expected_sha256.empty() && *digest != file.expected_sha256)
        return bad_input(dataset, other_sha256(file.sha256_field, file.path, *digest, file.expected_sha256));
    auto content = read_gzip_or_plain(file.path, max_file_bytes);
    if (!content && content.error().retry) return input_failure(field, content.error());
    if (!content) return bad_input(dataset, std::string(file.path_field) + ": " + content.error().message);
    return LoadedFile{std::move(*content), std::move(*digest)};
}

class IdxDataset : public DatasetReader {
public:
    static Result<std::unique_ptr<DatasetReader>> open(const Dataset& dataset, const std::string& root) {
        auto reader = std::make_unique<IdxDataset>();
        const std::string images = resolve_path(root, dataset.path);
        const std::string labels = resolve_path(root, dataset.labels_path);
        auto loaded = load(dataset, {images, dataset.sha256, "path", "sha256"});
        if (!loaded) return tl::unexpected(loaded.error());
        reader->images_file_ = std::move(*loaded);
        loaded = load(dataset, {labels, dataset.labels_sha256, "labelsPath", "labelsSha256"});
        if (!loaded) return tl::unexpected(loaded.error());
        reader->labels_file_ = std::move(*loaded);
        if (auto read = reader->read_arrays(dataset, images, labels); !read) return tl::unexpected(read.error());
        return reader;
    }

    std::uint64_t size() const override { return size_; }

    Result<Sample> sample(std::uint64_t index) override {
        const auto label = static_cast<unsigned char>(labels_.elements[index]);
        const auto bytes = images_.elements.substr(index * sample_bytes_, sample_bytes_);
        return Sample{std::to_string(index),
                      shape_,
                      bytes,
                      "",
                      "",
                      label,
                      label < classes_.size() ? classes_[label] : std::to_string(label)};
    }

    std::string place(std::uint64_t index) const override { return "sample " + std::to_string(index); }

    Json digests() const override { return {{"sha256", images_file_.sha256}, {"labelsSha256", labels_file_.sha256}}; }

private:
    Result<void> read_arrays(const Dataset& dataset, const std::string& images_path, const std::string& labels_path) {
        auto images = read_idx(images_file_.content);
        if (!images) return bad_input(dataset, "path: " + images_path + ": " + images.error().message);
        auto labels = read_idx(labels_file_.content);
        if (!labels) return bad_input(dataset, "labelsPath: " + labels_path + ": " + labels.error().message);
        if (labels->shape.size() != 1)
            return bad_input(dataset, "labelsPath: " + labels_path + ": has " + std::to_string(labels->shape.size()) +
                                          " dimensions, labels have one; is it the file of the images?");
        if (labels->count() != images->count()) {
            return bad_input(dataset, "labelsPath: " + labels_path + ": has " + std::to_string(labels->count()) +
                                          " labels for " + std::to_string(images->count()) + " images in " +
                                          images_path);
        }
        images_ = *images;
        labels_ = *labels;
        classes_ = dataset.task.classes;
        // A model takes channels first; grey images state none.
        shape_ = {1};
        shape_.insert(shape_.end(), images_.shape.begin() + 1, images_.shape.end());
        if (images_.shape.size() == 4) shape_.erase(shape_.begin());
        sample_bytes_ = 1;
        for (const auto dimension : shape_) sample_bytes_ *= static_cast<std::size_t>(dimension);
        size_ = static_cast<std::uint64_t>(std::min(images_.count(), dataset.limit.value_or(images_.count())));
        if (size_ == 0) return bad_input(dataset, "path: " + images_path + ": has no samples");
        return check_labels(dataset, labels_path);
    }

    Result<void> check_labels(const Dataset& dataset, const std::string& labels_path) const {
        if (classes_.empty()) return {};
        for (std::uint64_t i = 0; i < size_; ++i) {
            const auto label = static_cast<unsigned char>(labels_.elements[i]);
            if (label < classes_.size()) continue;
            return bad_input(dataset, "labelsPath: " + labels_path + ": sample " + std::to_string(i) + " has label " +
                                          std::to_string(label) + ", but task.classes names only " +
                                          std::to_string(classes_.size()) + "; name every class, or none");
        }
        return {};
    }

    LoadedFile images_file_;
    LoadedFile labels_file_;
    IdxArray images_;
    IdxArray labels_;
    std::vector<std::string> classes_;
    std::vector<std::int64_t> shape_;
    std::size_t sample_bytes_ = 0;
    std::uint64_t size_ = 0;
};

}  // namespace

tl::unexpected<Error> bad_input(const Dataset& dataset, const std::string& what) {
    return fail("BadInput", "dataset " + dataset.name + ": " + what);
}

std::string unreadable(const std::string& field, const Error& error) {
    return field + ": " + error.message +
           "; is the path right? A relative one starts at the EvalJob file's folder, in a cluster at the storage root";
}

tl::unexpected<Error> input_failure(const std::string& field, const Error& error) {
    if (error.retry) return fail("ReadFailed", field + ": " + error.message, true);
    return fail("BadInput", unreadable(field, error));
}

std::string other_sha256(const std::string& field, const std::string& path, const std::string& is,
                         const std::string& expected) {
    return field + ": " + path + " has the sha256 " + is + ", the EvalJob says " + expected +
           "; it is another file, or a damaged one";
}

std::string resolve_path(const std::string& root, const std::string& path) {
    return (std::filesystem::path(root) / path).lexically_normal().string();
}

Result<std::unique_ptr<DatasetReader>> open_dataset(const Dataset& dataset, const std::string& storage_root) {
    switch (dataset.format) {
        case DatasetFormat::IDX:
            return IdxDataset::open(dataset, storage_root);
        case DatasetFormat::JSONL:
            return open_json_lines(dataset, storage_root);
        case DatasetFormat::TSV:
            return open_tsv(dataset, storage_root);
    }
    return bad_input(dataset, "is of a format that is not supported yet");
}

std::string content_hash(const Sample& sample) {
    Sha256 digest;
    std::string json;
    append_json(json, Json(sample.shape));
    digest.update(json);
    digest.update(sample.bytes);
    digest.update(sample.input);
    digest.update(sample.image);
    json.clear();
    append_json(json, sample.target);
    digest.update(json);
    return digest.hex().substr(0, 32);
}

}  // namespace evaljob
