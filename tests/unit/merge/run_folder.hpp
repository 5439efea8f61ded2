// A job's shared folder as a run leaves it, made with the runner's own writers, in a temporary place.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "api/digest.hpp"
#include "api/manifest.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "evaljob-runner/shard/done_marker.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob::test {

namespace fs = std::filesystem;

/// Twelve images of three classes, in batches of four.
inline Manifest small_manifest(std::vector<std::string> classes = {"Shirt", "Coat", "Bag"}) {
    Manifest m;
    m.config = {{"model", {{"path", "model.pt"}, {"sha256", std::string(64, 'a')}}},
                {"datasets",
                 Json::array({{{"name", "wardrobe"}, {"task", {{"type", "Classification"}, {"classes", classes}}}}})}};
    for (int i = 0; i < 12; ++i) {
        std::size_t target = static_cast<std::size_t>(i) % classes.size();
        m.samples.push_back({0, std::to_string(i), std::string(32, 'b'), Json(target), classes[target]});
    }
    m.batches = plan_batches(m.samples, 1, 4);
    return m;
}

/// The answer that the fake model gives: right but for samples 4 and 9.
inline Record answer(int sample, LeaseNumber lease) {
    int target = sample % 3;
    Record r{0, std::to_string(sample), 0, lease, Json(sample == 4 || sample == 9 ? (target + 1) % 3 : target), {}, ""};
    r.detail = {{"confidence", sample == 4 ? "0.990000" : "0.812500"}};
    return r;
}

inline Record failed(int sample, LeaseNumber lease) {
    Record record = answer(sample, lease);
    record.prediction = nullptr;
    record.detail = Json::object();
    record.error = "out of memory";
    return record;
}

/// The four samples of one batch.
inline std::vector<Record> batch(int number, LeaseNumber lease) {
    std::vector<Record> records;
    for (int i = 4 * number; i < 4 * number + 4; ++i) records.push_back(answer(i, lease));
    return records;
}

class RunFolder {
public:
    RunFolder() {
        static int number = 0;
        shared = (fs::temp_directory_path() /
                  ("evaljob-merge-" + std::to_string(::getpid()) + "-" + std::to_string(number++)))
                     .string();
        fs::remove_all(shared);
        fs::create_directories(shared);
    }
    ~RunFolder() { fs::remove_all(shared); }
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;

    std::string shared;
    Manifest manifest = small_manifest();

    /// A log of rank `rank` with the records of these samples, one batch of them, under the lease (1, counter).
    std::string add_shard(int rank, const std::vector<Record>& records, std::uint64_t counter, bool close = true) {
        std::string folder = "runs/run-1/node-" + std::to_string(rank) + "/attempt-0";
        std::string path = folder + "/rank-" + std::to_string(rank) + "-" + std::to_string(counter) + ".shard";
        fs::create_directories(shared + "/" + folder);
        ShardHeader header{identity(), "run-1", rank, rank, 0, 0, "cpu", "libtorch 2.11.0", 1, 1'700'000'000'000'000};
        auto writer = ShardWriter::create(shared + "/" + path, header);
        bool good = writer.has_value();
        for (const Record& record : records) good = good && writer->append(record);
        std::int64_t begin = 1'700'000'000'000'000 + static_cast<std::int64_t>(counter) * 400'000;
        good =
            good && writer->append(BatchEnd{
                        counter % 3, {1, counter}, begin, begin + 300'000, static_cast<std::uint32_t>(records.size())});
        good = good && (close ? writer->close() : writer->commit());
        if (!good) throw std::runtime_error("cannot write " + path);
        shards.push_back(path);
        return path;
    }

    /// The three batches of an undisturbed run, on two ranks.
    void add_whole_run() {
        for (int batch = 0; batch < 3; ++batch) {
            std::vector<Record> records;
            for (int i = 4 * batch; i < 4 * batch + 4; ++i)
                records.push_back(answer(i, {1, static_cast<std::uint64_t>(batch)}));
            add_shard(batch % 2, records, static_cast<std::uint64_t>(batch));
        }
    }

    std::string identity() const { return foreign_identity.empty() ? identity_of(manifest) : foreign_identity; }

    /// Manifest and done marker over every log as it lies there now.
    void finish() {
        write("manifest.jsonl", encode_manifest(manifest));
        DoneMarker marker{identity_of(manifest), 1, manifest.items(), {}};
        for (const std::string& path : shards) {
            auto summary = read_shard_file(shared + "/" + path, UINT64_MAX, {});
            if (!summary) throw std::runtime_error(summary.error().message);
            marker.shards.push_back({path, summary->valid_bytes, summary->sha256, summary->records});
        }
        write("done.json", encode_done_marker(marker));
    }

    void write(const std::string& name, const std::string& bytes) {
        std::ofstream(shared + "/" + name, std::ios::binary | std::ios::trunc) << bytes;
    }
    std::string read(const std::string& name) const {
        std::ifstream in(shared + "/" + name, std::ios::binary);
        std::stringstream bytes;
        bytes << in.rdbuf();
        return bytes.str();
    }
    bool exists(const std::string& name) const { return fs::exists(shared + "/" + name); }

    MergeOptions options() const { return {shared, "", "wardrobe-job", false, 0}; }

    std::vector<std::string> shards;
    std::string foreign_identity;  // for the headers of logs that follow
};

}  // namespace evaljob::test
