// How long the merge takes, beside copying the same bytes on the same disk, alternating in one run.
//   bench_merge [SAMPLES]     in the current folder, which decides the disk
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "evaljob-runner/shard/done_marker.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t logs = 8;
constexpr int rounds = 3;

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Manifest manifest_of(std::uint64_t samples) {
    Manifest manifest;
    manifest.config = {{"model", {{"path", "model.pt"}, {"sha256", std::string(64, 'a')}}},
                       {"datasets", Json::array({{{"name", "bench"}, {"task", {{"type", "Classification"}}}}})}};
    for (std::uint64_t i = 0; i < samples; ++i)
        manifest.samples.push_back({0, std::to_string(i), std::string(32, 'b'), Json(i % 10), std::to_string(i % 10)});
    manifest.batches = plan_batches(manifest.samples, 1, 64);
    return manifest;
}

void write_log(const std::string& shared, const std::string& path, const Manifest& manifest, std::uint64_t number) {
    must(make_folders(fs::path(shared + "/" + path).parent_path().string()));
    const auto rank = static_cast<std::int32_t>(number);
    auto writer = must(ShardWriter::create(shared + "/" + path, {identity_of(manifest), "run", rank, rank, 0, 0, "cpu",
                                                                 "bench", 1, 1'700'000'000'000'000}));
    for (std::uint64_t batch = number; batch < manifest.batches.size(); batch += logs) {
        const auto& items = manifest.batches[batch].items;
        const LeaseNumber lease{1, batch};
        for (const std::uint64_t i : items)
            must(writer.append({0, manifest.samples[i].id, 0, lease, Json(i % 9), {{"confidence", "0.812500"}}, ""}));
        must(writer.append(BatchEnd{batch, lease, 1'700'000'000'000'000, 1'700'000'000'300'000,
                                    static_cast<std::uint32_t>(items.size())}));
    }
    must(writer.close());
}

void write_run(const std::string& shared, std::uint64_t samples) {
    const Manifest manifest = manifest_of(samples);
    must(make_folders(shared));
    must(write_file_durably(layout::manifest(shared), encode_manifest(manifest)));
    DoneMarker marker{identity_of(manifest), 1, manifest.items(), {}};
    for (std::uint64_t number = 0; number < logs; ++number) {
        const std::string path = "runs/run/node-" + std::to_string(number) + "/attempt-0/rank.shard";
        write_log(shared, path, manifest, number);
        const auto summary = must(read_shard_file(shared + "/" + path, UINT64_MAX, {}));
        marker.shards.push_back({path, summary.valid_bytes, summary.sha256, summary.records});
    }
    must(write_file_durably(layout::done_marker(shared), encode_done_marker(marker)));
}

std::uint64_t bytes_below(const std::string& folder) {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
}

void copy_durably(const std::string& from, const std::string& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(to)) {
        if (!entry.is_regular_file()) continue;
        const int file = ::open(entry.path().c_str(), O_RDONLY);
        ::fsync(file);
        ::close(file);
    }
}

double seconds(const std::function<void()>& run) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int compare(std::uint64_t samples) {
    const std::string folder = "evaljob-bench-" + std::to_string(::getpid());
    const std::string shared = folder + "/run";
    write_run(shared, samples);
    const std::uint64_t input = bytes_below(shared);
    double merge = 0;
    double copy = 0;
    for (int round = 0; round < rounds; ++round) {
        const double copied = seconds([&] { copy_durably(shared, folder + "/copy"); });
        fs::remove_all(folder + "/copy");
        const double merged = seconds([&] {
            if (run_merge({shared, "bench", false, 0, {}}).exit_code != 0) throw std::runtime_error("the merge failed");
        });
        fs::remove_all(shared + "/results");
        fs::remove(shared + "/CURRENT");
        copy = round == 0 ? copied : std::min(copy, copied);
        merge = round == 0 ? merged : std::min(merge, merged);
    }
    fs::remove_all(folder);
    std::printf(
        "merge of %llu samples, %.1f MB of manifest and shard logs: %.2f s; copying them: %.2f s; the merge runs "
        "at %.1f %% of the copy's speed\n",
        static_cast<unsigned long long>(samples), static_cast<double>(input) / 1e6, merge, copy, 100 * copy / merge);
    return 0;
}

}  // namespace
}  // namespace evaljob::bench

int main(int argc, char** argv) {
    try {
        return evaljob::bench::compare(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
