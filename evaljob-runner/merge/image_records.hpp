// What an image of the user's own wrote, file by file: one record a sample, and whatever is wrong, by file and line.
// Pure. docs/formats.md says what such a file holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/evaljob.hpp"
#include "api/record.hpp"
#include "evaljob-runner/merge/proof.hpp"

namespace evaljob {

struct OutputFile {
    std::string path;           // relative to the shared folder
    std::uint64_t records = 0;  // sound lines
};

struct ImageRecord {
    Record record;
    std::string place;  // "runs/…/rank-0.jsonl line 7"
};

struct ImageReading {
    std::vector<OutputFile> files;     // as they were read
    std::vector<ImageRecord> records;  // one a sample, in the order of their first line
    std::uint64_t lines = 0;           // sound ones, repeats included
    Fault repeated;                    // samples with more than one line
    Fault conflicting;                 // samples with two different predictions
    std::vector<std::string> damaged;  // sentences: lines that cannot be read, samples with two predictions
};

/// Takes files in a fixed order: of several lines of one sample the first with a prediction counts. Lines of one sample
/// with the same prediction are repeats, whatever else they hold: a sampler that pads gives a sample to two ranks. With
/// two different predictions nothing says which is right, so that is a fault.
class ImageRecords {
public:
    /// `task`: what predictions are held against; null: any prediction will do. Must outlive this.
    explicit ImageRecords(const Task* task) : task_(task) {}

    void add_file(const std::string& path, std::string_view bytes);

    ImageReading finish() &&;

private:
    struct Held {
        std::size_t record = 0;
        bool repeated = false;
        bool conflicting = false;
    };
    Result<Record> read_line(std::string_view line) const;
    void hold(ImageRecord read);
    void hold_again(Held& held, ImageRecord read);

    const Task* task_;
    ImageReading reading_;
    Fault bad_lines_;
    Fault conflicts_;
    std::unordered_map<std::string, Held> held_;
};

}  // namespace evaljob
