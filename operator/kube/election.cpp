#include "operator/kube/election.hpp"

#include <algorithm>

#include "api/json_read.hpp"

namespace evaljob::kube {
namespace {

Milliseconds duration_of(const Json& lease, Milliseconds otherwise) {
    const auto seconds = number_of(member(lease, "spec"), "leaseDurationSeconds");
    return seconds > 0 ? Milliseconds{seconds * 1000} : otherwise;
}

/// MicroTime, as the API wants it here; the fraction is of no use to anyone.
std::string micro_time(UnixSeconds wall) {
    std::string text = rfc3339(wall);
    text.insert(text.size() - 1, ".000000");
    return text;
}

}  // namespace

ElectionNext Election::look(Milliseconds now, UnixSeconds wall) {
    if (leading_ && now - renewed_ >= options_.renew_deadline) return retry(now, "it could not be renewed in time");
    return leading_ ? write(now, wall) : read();
}

ElectionNext Election::take(const Result<Json>& answer, Milliseconds now, UnixSeconds wall) {
    const bool wrote = writing_;
    writing_ = false;
    if (answer && !wrote) return take_lease(*answer, now, wall);
    if (answer) {
        lease_ = *answer;
        holder_ = options_.identity;
        seen_ = now;
        renewed_ = sent_;
        leading_ = true;
        return Wait{options_.retry};
    }
    const std::string& reason = answer.error().reason;
    if (!wrote && reason == "NotFound") {
        lease_ = {};
        return write(now, wall);
    }
    // Someone else wrote it first: what it says now decides.
    if (wrote && (reason == "Conflict" || reason == "AlreadyExists" || reason == "NotFound")) return read();
    return retry(now, answer.error().message);
}

ElectionNext Election::take_lease(const Json& lease, Milliseconds now, UnixSeconds wall) {
    // By its version: the times in it are of clocks that may stand still.
    if (text_of(member(lease_, "metadata"), "resourceVersion") != text_of(member(lease, "metadata"), "resourceVersion"))
        seen_ = now;
    lease_ = lease;
    holder_ = text_of(member(lease, "spec"), "holderIdentity");
    if (holder_.empty() || holder_ == options_.identity) return write(now, wall);
    if (leading_) return Lost{holder_ + " holds it now"};
    if (now - seen_ >= duration_of(lease, options_.duration)) return write(now, wall);
    return Wait{options_.retry};
}

ElectionNext Election::retry(Milliseconds now, const std::string& why) {
    if (leading_ && now - renewed_ >= options_.renew_deadline) return Lost{why};
    return Wait{options_.retry};
}

ElectionNext Election::read() { return SendLease{get(leases, options_.ns, options_.name)}; }

ElectionNext Election::write(Milliseconds now, UnixSeconds wall) {
    writing_ = true;
    sent_ = now;
    Json lease = lease_of(options_.identity, wall);
    if (lease_.is_null()) return SendLease{create(leases, options_.ns, lease)};
    return SendLease{replace(leases, options_.ns, options_.name, lease)};
}

Request Election::release(UnixSeconds wall) const {
    return replace(leases, options_.ns, options_.name, lease_of("", wall));
}

/// The Lease as it stands, held by `holder` from now on. Its resourceVersion makes a write between fail with Conflict.
Json Election::lease_of(const std::string& holder, UnixSeconds wall) const {
    Json lease = lease_;
    if (lease.is_null())
        lease = {{"apiVersion", "coordination.k8s.io/v1"},
                 {"kind", "Lease"},
                 {"metadata", {{"name", options_.name}, {"namespace", options_.ns}}},
                 {"spec", Json::object()}};
    Json& spec = lease["spec"];
    if (text_of(spec, "holderIdentity") != holder) {
        spec["acquireTime"] = micro_time(wall);
        spec["leaseTransitions"] = lease_.is_null() ? 0 : number_of(spec, "leaseTransitions") + 1;
    }
    spec["holderIdentity"] = holder;
    spec["renewTime"] = micro_time(wall);
    spec["leaseDurationSeconds"] = holder.empty() ? 1 : options_.duration.count() / 1000;
    return lease;
}

}  // namespace evaljob::kube
