// Where a sample stands in a manifest, by its dataset and id. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/manifest.hpp"

namespace evaljob {

class SampleIndex {
public:
    /// `samples` must stay as they are while the index lives.
    explicit SampleIndex(const std::vector<ManifestSample>& samples) {
        places_.reserve(samples.size());
        for (std::uint64_t i = 0; i < samples.size(); ++i) {
            const bool is_new = places_.try_emplace({samples[i].dataset, samples[i].id}, i).second;
            if (!is_new && !repeated_) repeated_ = i;
        }
    }

    std::optional<std::uint64_t> find(std::uint32_t dataset, std::string_view id) const {
        const auto at = places_.find({dataset, id});
        return at == places_.end() ? std::nullopt : std::optional(at->second);
    }
    /// The first sample whose dataset and id an earlier one has, too.
    std::optional<std::uint64_t> repeated() const { return repeated_; }

private:
    struct Key {
        std::uint32_t dataset;
        std::string_view id;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const { return std::hash<std::string_view>{}(key.id) + key.dataset; }
    };
    std::unordered_map<Key, std::uint64_t, Hash> places_;
    std::optional<std::uint64_t> repeated_;
};

}  // namespace evaljob
