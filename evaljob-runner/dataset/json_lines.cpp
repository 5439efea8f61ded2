#include "evaljob-runner/dataset/json_lines.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "evaljob-runner/dataset/json_sample.hpp"
#include "evaljob-runner/dataset/text_file.hpp"

namespace evaljob {

namespace {

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
            if (length_ > max_text_sample_bytes && too_long_ == 0) too_long_ = number_;
            lines_.push_back({offset_, number_, static_cast<std::uint32_t>(std::min(length_, max_text_sample_bytes))});
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
    JsonLinesDataset(const Dataset& dataset, const std::string& storage_root)
        : task_(dataset.task), limit_(sample_limit(dataset)), file_(dataset, storage_root) {}

    Result<void> read() {
        LineIndex index(limit_);
        if (auto read = file_.read([&](std::string_view block) { index.add(block); }); !read) return read;
        index.finish();
        if (index.too_long() > 0) return file_.too_long(place_of(index.too_long()));
        lines_ = std::move(index).lines();
        if (lines_.empty()) return file_.refused("path: " + file_.path() + ": has no samples");
        return {};
    }

    std::uint64_t size() const override { return lines_.size(); }

    Result<Sample> sample(std::uint64_t index) override {
        const Line& line = lines_.at(index);
        const auto text = file_.part(line.offset, line.length, place(index));
        if (!text) return tl::unexpected(text.error());
        auto sample = read_json_sample(*text, line.number, task_);
        if (!sample) return file_.refused("path: " + place(index) + ": " + sample.error().message);
        return sample;
    }

    std::string place(std::uint64_t index) const override { return place_of(lines_.at(index).number); }

    Json digests() const override { return {{"sha256", file_.sha256()}}; }

private:
    std::string place_of(std::uint64_t line) const { return file_.path() + " line " + std::to_string(line); }

    Task task_;
    std::uint64_t limit_;
    TextFile file_;
    std::vector<Line> lines_;
};

}  // namespace

Result<std::unique_ptr<DatasetReader>> open_json_lines(const Dataset& dataset, const std::string& storage_root) {
    auto reader = std::make_unique<JsonLinesDataset>(dataset, storage_root);
    if (auto read = reader->read(); !read) return tl::unexpected(read.error());
    return reader;
}

}  // namespace evaljob
