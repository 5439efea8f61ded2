// The proof that a run's records are exactly the manifest's samples: which record counts for each, and what is missing,
// repeated, conflicting, failed or foreign. Pure. Sized for millions of samples: 40 bytes an item, beside the contents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.hpp"
#include "api/record.hpp"
#include "api/sample_index.hpp"

namespace evaljob {

/// How many ids a list of faults names; its count has no limit.
inline constexpr std::size_t max_named_ids = 20;

struct Fault {
    std::uint64_t count = 0;
    std::vector<std::string> ids;  // the first max_named_ids

    void add(std::string id) {
        if (count++ < max_named_ids) ids.push_back(std::move(id));
    }
};

enum class ItemState : std::uint8_t { Missing, Failed, Predicted };

/// What counts for one item. The views live as long as the Proof.
struct Outcome {
    ItemState state = ItemState::Missing;
    LeaseNumber lease;
    std::string_view prediction;  // canonical JSON; empty unless Predicted
    std::string_view detail;      // canonical JSON, an object; empty when Missing
    std::string_view error;       // why the sample failed; empty unless Failed
};

class Proof {
public:
    std::uint64_t items = 0;                  // in the manifest, repeats included
    std::uint64_t records = 0;                // read, foreign ones included
    std::uint64_t extra_records = 0;          // of items of the manifest, beyond the one that counts
    Fault missing;                            // items without any record
    Fault repeated;                           // items with more than one record: ordinary
    Fault conflicting;                        // items with two predictions of different contents
    Fault failed;                             // items whose counting record failed
    Fault foreign;                            // records of no item, or in a log of another evaluation
    std::vector<std::string> foreign_shards;  // logs of another evaluation

    Outcome outcome(std::uint64_t item) const;

private:
    friend class Prover;
    struct Held {
        LeaseNumber lease;
        std::uint64_t at = 0;  // in contents_: prediction, detail, error, one behind the other
        std::uint32_t prediction = 0;
        std::uint32_t detail = 0;
        std::uint32_t error = 0;
        ItemState state = ItemState::Missing;
        bool repeated = false;
        bool conflicting = false;
    };
    std::vector<Held> held_;
    std::string contents_;
};

/// Takes the records one by one, in any order: the proof does not depend on it, but for the names of foreign records.
class Prover {
public:
    /// `manifest` must outlive the prover.
    Prover(const Manifest& manifest, std::string identity);

    /// The records that follow are of this log; with another identity in its header all of them are foreign.
    void begin_shard(std::string name, std::string_view identity);
    void add(const Record& record);

    Proof finish() &&;

private:
    std::optional<std::uint64_t> sample_of(const Record& record) const;
    void hold(Proof::Held& held, const Record& record);

    const Manifest& manifest_;
    std::string identity_;
    std::string shard_;
    bool foreign_shard_ = false;
    SampleIndex samples_;
    std::uint64_t next_ = 0;  // the sample behind the last one found: batches are consecutive, so mostly the next
    Proof proof_;
};

/// How a person knows an item: "7", with several datasets "mnist/7", with repeats "7#2".
std::string item_name(const Manifest& manifest, std::uint64_t item);

}  // namespace evaljob
