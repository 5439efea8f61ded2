#include "operator/plan/storage.hpp"

#include <algorithm>

#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "operator/plan/metadata.hpp"

namespace evaljob {
namespace {

using Kind = ClaimVerdict::Kind;

bool has_mode(const ClaimView& claim, const char* mode) {
    return std::ranges::find(claim.access_modes, mode) != claim.access_modes.end();
}

std::string listed(const std::vector<std::string>& modes) {
    std::string all;
    for (const std::string& mode : modes) all += (all.empty() ? "" : ", ") + mode;
    return all.empty() ? "no access mode" : all;
}

std::int32_t writing_nodes(const EvalJob& job) {
    return job.spec.storage.writers == Writers::Node0 ? 1 : job.spec.num_nodes;
}

/// Empty: as many nodes as the job has can write to it.
std::string unfit(const EvalJob& job, const ClaimView& claim) {
    const std::string has = " has " + listed(claim.access_modes) + ", and ";
    if (writing_nodes(job) > 1 && !has_mode(claim, "ReadWriteMany"))
        return has + std::to_string(job.spec.num_nodes) +
               " nodes write to it: use a claim with ReadWriteMany, storage.writers Node0, or numNodes 1";
    const auto writes = [](const std::string& mode) { return mode != "ReadOnlyMany"; };
    if (std::ranges::none_of(claim.access_modes, writes))
        return has + "it is written to: use a claim with ReadWriteMany";
    return {};
}

/// Made for this job, or kept by one of its name: nobody owns it, and it carries our label.
bool is_own(const EvalJob& job, const ClaimView& claim) {
    return claim.owner_uid == job.meta.uid || (claim.owner_uid.empty() && claim.job == job.meta.name);
}

}  // namespace

std::string claim_of(const EvalJob& job) {
    const Storage& storage = job.spec.storage;
    return storage.claim_template ? names::claim(job.meta.name) : storage.claim_name;
}

bool mounts_claim(const EvalJob& job, std::int32_t node) {
    return node == 0 || job.spec.storage.writers == Writers::Ranks;
}

Json claim_object(const EvalJob& job) {
    const Json& wanted = *job.spec.storage.claim_template;
    Json metadata = child_metadata(job, claim_of(job));
    if (job.spec.storage.retention == Retention::Retain) metadata.erase("ownerReferences");
    const Json& theirs = member(wanted, "metadata");
    for (const auto& [key, value] : member(theirs, "labels").items()) metadata["labels"].emplace(key, value);
    if (const Json& annotations = member(theirs, "annotations"); annotations.is_object())
        metadata["annotations"] = annotations;
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata", std::move(metadata)},
            {"spec", member(wanted, "spec")}};
}

bool is_claim_unproven(const Observed& observed) {
    const auto seen = seen_attempts(observed);
    if (seen.empty()) return true;
    return writing_nodes(observed.job) > 1 && seen.size() == 1 && seen.contains("0");
}

ClaimVerdict judge_claim(const Observed& observed) {
    const EvalJob& job = observed.job;
    const ClaimView& claim = *observed.claim;
    const bool ours = job.spec.storage.claim_template.has_value();
    const std::string what = "PersistentVolumeClaim " + claim_of(job);
    if (!claim.found && ours) return {Kind::ToBeMade, {}};
    if (!claim.found)
        return {Kind::Awaited, {"ClaimNotFound", what + " is not there: create it; the job waits for it"}};
    if (claim.deleting)
        return {Kind::Awaited, {"ClaimNotFound", what + " is being deleted; the job waits for another"}};
    if (ours && !is_own(job, claim)) {
        if (claim.owner_kind == kind)
            return {Kind::Awaited,
                    {"WaitingForOldChildren", what + " of an older EvalJob of this name is still there"}};
        return {Kind::Refused,
                {"NameTaken", what + " exists and is not this EvalJob's: delete it, name it in storage.claimName, or "
                                     "rename the EvalJob"}};
    }
    if (std::string why = unfit(job, claim); !why.empty()) return {Kind::Refused, {"ClaimUnusable", what + why}};
    return {};
}

}  // namespace evaljob
