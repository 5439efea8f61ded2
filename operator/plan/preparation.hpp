// What must be there before a Pod is made, besides the Pod: the claim, and the API of the gang. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/plan/gang.hpp"
#include "operator/plan/storage.hpp"

namespace evaljob {

inline constexpr std::chrono::seconds claim_look{10};
inline constexpr std::chrono::seconds gang_look{30};

struct Preparation {
    bool read_claim = false;  // then nothing else holds
    bool read_apis = false;
    bool make_claim = false;
    std::string gang;                // of status
    std::optional<Failure> refused;  // no waiting mends it
    std::optional<Failure> awaited;
    bool unschedulable = false;  // it is the gang or the queue that is awaited
};

/// Of a job that is to get Pods now.
Preparation prepare(const Observed& observed, const Settings& settings);

/// What the job asks for and this cluster's operator refuses, whatever is there.
std::optional<Failure> refused_here(const EvalJob& job, const Settings& settings);

}  // namespace evaljob
