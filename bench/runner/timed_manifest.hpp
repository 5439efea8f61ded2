// A timed job as the runner takes it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/manifest.hpp"
#include "tests/simulation/balance/timed_job.hpp"

namespace evaljob::bench {

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

inline Manifest manifest_of(const simulation::TimedJob& job) {
    Manifest manifest;
    manifest.config = {{"model", {{"format", "TorchScript"}, {"sha256", std::string(64, 'a')}}},
                       {"datasets", Json::array({{{"name", "timed"}, {"task", {{"type", "Classification"}}}}})}};
    for (const simulation::TimedBatch& batch : job.batches) {
        ManifestBatch planned;
        for (std::uint32_t i = 0; i < batch.samples; ++i) {
            planned.items.push_back(manifest.samples.size());
            manifest.samples.push_back({0, std::to_string(manifest.samples.size()), std::string(32, 'b'), Json(0), "0",
                                        batch.bytes / batch.samples});
        }
        manifest.batches.push_back(std::move(planned));
    }
    return manifest;
}

inline std::uint16_t free_port() {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
    return acceptor.local_endpoint().port();
}

}  // namespace evaljob::bench
