#include "evaljob-runner/merge/image_records.hpp"

#include <algorithm>
#include <utility>

#include "evaljob-runner/merge/output_line.hpp"

namespace evaljob {

namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

std::string prediction_at(const ImageRecord& read) {
    constexpr std::size_t most = 80;
    std::string text = read.record.prediction.text();
    if (text.size() > most) text = text.substr(0, most) + "…";
    return text + " (" + read.place + ")";
}

/// The sentences that stand for a fault: the first ones as they are, the rest as a number.
void tell(const Fault& fault, const std::string& what, std::vector<std::string>& sentences) {
    sentences.insert(sentences.end(), fault.ids.begin(), fault.ids.end());
    if (fault.count > fault.ids.size())
        sentences.push_back(std::to_string(fault.count - fault.ids.size()) + " more " + what);
}

}  // namespace

void ImageRecords::add_file(const std::string& path, std::string_view bytes) {
    OutputFile file{path, 0};
    for (std::uint64_t number = 1; !bytes.empty(); ++number) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        const std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (is_blank(line)) continue;
        std::string place = path + " line " + std::to_string(number);
        auto record = read_line(line);
        if (!record) {
            bad_lines_.add(place + ": " + record.error().message);
            continue;
        }
        ++file.records;
        hold({std::move(*record), std::move(place)});
    }
    reading_.lines += file.records;
    reading_.files.push_back(std::move(file));
}

Result<Record> ImageRecords::read_line(std::string_view line) const {
    auto read = read_output_line(line);
    if (!read) return tl::unexpected(read.error());
    if (task_ != nullptr && read->error.empty()) {
        auto answer = task_->type == TaskType::Classification ? class_of(read->prediction, task_->classes)
                                                              : text_of(read->prediction);
        if (!answer) return tl::unexpected(answer.error());
        read->prediction = std::move(*answer);
    }
    Record record;
    record.id = std::move(read->id);
    record.prediction = read->error.empty() ? read->prediction : Json();
    record.detail = read->fields;
    record.error = std::move(read->error);
    return record;
}

void ImageRecords::hold(ImageRecord read) {
    const auto [place, is_new] = held_.try_emplace(read.record.id, Held{reading_.records.size()});
    if (is_new)
        reading_.records.push_back(std::move(read));
    else
        hold_again(place->second, std::move(read));
}

void ImageRecords::hold_again(Held& held, ImageRecord read) {
    ImageRecord& first = reading_.records[held.record];
    if (!std::exchange(held.repeated, true)) reading_.repeated.add(read.record.id);
    if (read.record.failed()) return;
    if (first.record.failed()) {
        first = std::move(read);
    } else if (first.record.prediction != read.record.prediction && !std::exchange(held.conflicting, true)) {
        reading_.conflicting.add(read.record.id);
        conflicts_.add("sample \"" + read.record.id + "\" has two predictions: " + prediction_at(first) + " and " +
                       prediction_at(read));
    }
}

ImageReading ImageRecords::finish() && {
    tell(bad_lines_, "lines cannot be read", reading_.damaged);
    tell(conflicts_, "samples have two predictions", reading_.damaged);
    return std::move(reading_);
}

}  // namespace evaljob
