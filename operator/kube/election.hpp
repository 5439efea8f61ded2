// Leader election by a Lease (coordination.k8s.io/v1). A pure state machine: what happened goes in, what to do next
// comes out. Times are monotonic milliseconds; `wall` is written into the Lease for people to read, and never read.
//
//   another holds it     → look again every `retry`; take it when it has not changed for its own duration
//   nobody, or we        → take it at once: a holder of our name is this Pod before its restart
//   ours                 → renew every `retry`; Lost when that has failed for `renew_deadline`, or another holds it
//
// A Lease does not fence: names, uids and versions of what is written do. Lost ends the process.
#pragma once

#include <string>
#include <variant>

#include "operator/kube/reflector.hpp"
#include "operator/kube/request.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::kube {

struct ElectionOptions {
    std::string ns;
    std::string name;      // of the Lease
    std::string identity;  // the Pod's uid
    Milliseconds duration{15'000};
    Milliseconds renew_deadline{10'000};
    Milliseconds retry{2'000};
};

// What to do next.
struct SendLease {
    Request request;
};
struct Lost {
    std::string why;
};
using ElectionNext = std::variant<SendLease, Wait, Lost>;

class Election {
public:
    explicit Election(ElectionOptions options) : options_(std::move(options)) {}

    /// At the beginning, and when a Wait has passed.
    ElectionNext look(Milliseconds now, UnixSeconds wall);

    /// What was answered to a SendLease.
    ElectionNext take(const Result<Json>& answer, Milliseconds now, UnixSeconds wall);

    bool leading() const { return leading_; }
    const std::string& holder() const { return holder_; }

    /// What gives the Lease back on a clean stop; only while leading.
    Request release(UnixSeconds wall) const;

private:
    ElectionNext read();
    ElectionNext write(Milliseconds now, UnixSeconds wall);
    ElectionNext take_lease(const Json& lease, Milliseconds now, UnixSeconds wall);
    ElectionNext retry(Milliseconds now, const std::string& why);
    Json lease_of(const std::string& holder, UnixSeconds wall) const;

    ElectionOptions options_;
    Json lease_;  // as last answered
    std::string holder_;
    Milliseconds seen_{0};     // since when lease_ has not changed
    Milliseconds sent_{0};     // the write that is under way
    Milliseconds renewed_{0};  // when the last write that was carried out was sent
    bool writing_ = false;
    bool leading_ = false;
};

}  // namespace evaljob::kube
