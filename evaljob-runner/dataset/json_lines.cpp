#include "evaljob-runner/dataset/json_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>
#include <vector>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/json_sample.hpp"

namespace evaljob {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;

struct Line {
    std::uint64_t offset = 0;
    std::uint64_t number = 0;  // in the file, from 1
    std::uint32_t length = 0;
};

/// Finds the lines of a file that comes block by block. Blank lines are passed over.
class LineIndex {
public:
    explicit LineIndex(std::uint64_t limit) : limit_(limit) {}

    void add(std::string_view block) {
        while (!block.empty()) {
            const auto end = block.find('\n');
            const std::string_view part = block.substr(0, end);
            blank_ = blank_ && part.find_first_not_of(" \t\r") == std::string_view::npos;
            length_ += part.size();
            block.remove_prefix(end == std::string_view::npos ? block.size() : end + 1);
            if (end != std::string_view::npos) end_line();
        }
    }

    void finish() {
        if (length_ > 0) end_line();
    }

    std::uint64_t too_long() const { return too_long_; }  // the number of the first such line; 0: none
    std::vector<Line> lines() && { return std::move(lines_); }

private:
    void end_line() {
        if (!blank_ && lines_.size() < limit_) {
            if (length_ > max_json_line_bytes && too_long_ == 0) too_long_ = number_;
            lines_.push_back({offset_, number_, static_cast<std::uint32_t>(std::min(length_, max_json_line_bytes))});
        }
        offset_ += length_ + 1;
        length_ = 0;
        ++number_;
        blank_ = true;
    }

    std::uint64_t limit_;
    std::vector<Line> lines_;
    std::uint64_t offset_ = 0;  // of the line that is being read
    std::uint64_t length_ = 0;
    std::uint64_t number_ = 1;
    std::uint64_t too_long_ = 0;
    bool blank_ = true;
};

class JsonLinesDataset : public DatasetReader {
public:
    JsonLinesDataset(Dataset dataset, std::string path) : dataset_(std::move(dataset)), path_(std::move(path)) {}

    Result<void> read() {
        std::error_code ignored;
        if (std::filesystem::is_directory(path_, ignored))
            return refused(unreadable("path", Error{"ReadFailed", path_ + ": Is a directory"}));
        errno = 0;
        file_.open(path_, std::ios::binary);
        if (!file_) return refused(unreadable("path", Error{"ReadFailed", path_ + ": " + std::strerror(errno)}));
        LineIndex index(static_cast<std::uint64_t>(dataset_.limit.value_or(std::numeric_limits<std::int64_t>::max())));
        Sha256 digest;
        std::string block(block_bytes, '\0');
        bool first = true;
        do {
            file_.read(block.data(), static_cast<std::streamsize>(block.size()));
            const std::string_view got(block.data(), static_cast<std::size_t>(file_.gcount()));
            if (std::exchange(first, false) && got.starts_with("\x1f\x8b"))
                return refused("path: " + path_ + ": is compressed; decompress it: lines are read where they lie");
            digest.update(got);
            index.add(got);
        } while (file_);
        if (file_.bad()) return refused("path: " + path_ + ": cannot be read to its end");
        index.finish();
        sha256_ = digest.hex();
        if (!dataset_.sha256.empty() && sha256_ != dataset_.sha256)
            return refused(other_sha256("sha256", path_, sha256_, dataset_.sha256));
        if (index.too_long() > 0)
            return refused("path: " + path_ + " line " + std::to_string(index.too_long()) + ": is longer than " +
                           std::to_string(max_json_line_bytes) + " bytes; keep large inputs in files that it names");
        lines_ = std::move(index).lines();
        if (lines_.empty()) return refused("path: " + path_ + ": has no samples");
        return {};
    }

    std::uint64_t size() const override { return lines_.size(); }

    Result<Sample> sample(std::uint64_t index) override {
        const Line& line = lines_.at(index);
        std::string text(line.length, '\0');
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(line.offset));
        file_.read(text.data(), static_cast<std::streamsize>(text.size()));
        if (!file_) return refused("path: " + place(index) + ": cannot be read any more; was the file changed?");
        auto sample = read_json_sample(text, line.number, dataset_.task);
        if (!sample) return refused("path: " + place(index) + ": " + sample.error().message);
        return sample;
    }

    std::string place(std::uint64_t index) const override {
        return path_ + " line " + std::to_string(lines_.at(index).number);
    }

    Json digests() const override { return {{"sha256", sha256_}}; }

private:
    tl::unexpected<Error> refused(const std::string& what) const { return bad_input(dataset_, what); }

    Dataset dataset_;
    std::string path_;
    std::ifstream file_;
    std::vector<Line> lines_;
    std::string sha256_;
};

}  // namespace

Result<std::unique_ptr<DatasetReader>> open_json_lines(const Dataset& dataset, const std::string& storage_root) {
    auto reader = std::make_unique<JsonLinesDataset>(dataset, resolve_path(storage_root, dataset.path));
    if (auto read = reader->read(); !read) return tl::unexpected(read.error());
    return reader;
}

}  // namespace evaljob
