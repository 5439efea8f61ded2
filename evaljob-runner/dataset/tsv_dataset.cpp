#include "evaljob-runner/dataset/tsv_dataset.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "evaljob-runner/dataset/image_folder.hpp"
#include "evaljob-runner/dataset/text_file.hpp"
#include "evaljob-runner/dataset/tsv.hpp"
#include "evaljob-runner/dataset/tsv_sample.hpp"

namespace evaljob {

namespace {

class TsvDataset : public DatasetReader {
public:
    TsvDataset(const Dataset& dataset, const std::string& storage_root)
        : task_(dataset.task), limit_(sample_limit(dataset)), file_(dataset, storage_root), images_(file_.path()) {}

    Result<void> read() {
        TsvRows rows;
        if (auto read = file_.read([&](std::string_view block) { rows.add(block); }); !read) return read;
        rows.finish();
        rows_ = std::move(rows).rows();
        for (const TsvRow& row : rows_)
            if (row.length > max_text_sample_bytes) return file_.too_long(place_of(row));
        if (rows_.size() < 2) return file_.refused("path: " + file_.path() + ": has no samples");
        const auto header = cells_of(rows_.front());
        if (!header) return tl::unexpected(header.error());
        auto columns = read_tsv_header(*header, task_);
        if (!columns) return refused(rows_.front(), columns.error());
        columns_ = std::move(*columns);
        rows_.erase(rows_.begin());
        return {};
    }

    std::uint64_t size() const override { return std::min<std::uint64_t>(rows_.size(), limit_); }

    Result<Sample> sample(std::uint64_t index) override {
        const TsvRow& row = rows_.at(index);
        auto cells = cells_of(row);
        if (!cells) return tl::unexpected(cells.error());
        // A reference is replaced by what it stands for before anyone sees the row.
        if (columns_.image && columns_.image < cells->size()) {
            auto whole = image_cell(std::move((*cells)[*columns_.image]));
            if (!whole) return refused(row, whole.error());
            (*cells)[*columns_.image] = std::move(*whole);
        }
        auto sample = read_tsv_sample(columns_, *cells, task_);
        if (!sample) return refused(row, sample.error());
        if (auto taken = take_image(*cells, *sample); !taken) return refused(row, taken.error());
        return sample;
    }

    std::string place(std::uint64_t index) const override { return place_of(rows_.at(index)); }

    Json digests() const override { return {{"sha256", file_.sha256()}}; }

private:
    std::string place_of(const TsvRow& row) const { return file_.path() + " line " + std::to_string(row.line); }

    tl::unexpected<Error> refused(const TsvRow& row, const Error& error) const {
        return file_.refused("path: " + place_of(row) + ": " + error.message);
    }

    Result<std::vector<std::string>> cells_of(const TsvRow& row) {
        const auto text = file_.part(row.offset, row.length, place_of(row));
        if (!text) return tl::unexpected(text.error());
        auto cells = tsv_cells(*text);
        if (!cells) return refused(row, cells.error());
        return cells;
    }

    /// The cell itself, or that of the row which it names.
    Result<std::string> image_cell(std::string cell) {
        if (!is_image_reference(cell)) return cell;
        if (places_.empty())
            if (auto found = find_places(); !found) return tl::unexpected(found.error());
        const auto named = places_.find(cell);
        if (named == places_.end()) return fail("BadInput", "its image names the row " + cell + ", which there is not");
        const auto cells = cells_of(rows_[named->second]);
        if (!cells) return tl::unexpected(cells.error());
        std::string image = columns_.image < cells->size() ? (*cells)[*columns_.image] : "";
        if (image.empty() || is_image_reference(image))
            return fail("BadInput", "its image names the row " + cell + ", which has no image of its own");
        return image;
    }

    /// Where each index stands: only files with references pay for it.
    Result<void> find_places() {
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            auto cells = cells_of(rows_[i]);
            if (!cells) return tl::unexpected(cells.error());
            if (columns_.index < cells->size()) places_.emplace(std::move((*cells)[columns_.index]), i);
        }
        return {};
    }

    /// The bytes of the row's one image; nothing when it has none, a list of several, or one that lies in the web. A
    /// file that cannot be read is that sample's fault alone.
    Result<void> take_image(const std::vector<std::string>& cells, Sample& sample) const {
        const std::string image = TsvColumns::cell(cells, columns_.image);
        const std::string path = TsvColumns::cell(cells, columns_.image_path);
        if (is_tsv_list(image) || is_web_address(image)) return {};
        if (image.empty() && (path.empty() || is_tsv_list(path))) return {};
        auto bytes = image.empty() ? images_.read(path) : read_tsv_image(image);
        if (!bytes && !image.empty()) return tl::unexpected(bytes.error());
        if (!bytes) sample.image_error = bytes.error().message;
        if (bytes) sample.image = std::move(*bytes);
        return {};
    }

    Task task_;
    std::uint64_t limit_;
    TextFile file_;
    ImageFolder images_;  // of its path
    std::vector<TsvRow> rows_;
    TsvColumns columns_;
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Result<std::unique_ptr<DatasetReader>> open_tsv(const Dataset& dataset, const std::string& storage_root) {
    auto reader = std::make_unique<TsvDataset>(dataset, storage_root);
    if (auto read = reader->read(); !read) return tl::unexpected(read.error());
    return reader;
}

}  // namespace evaljob
