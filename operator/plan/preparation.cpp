#include "operator/plan/preparation.hpp"

#include "operator/plan/pod_security.hpp"

namespace evaljob {
namespace {

void prepare_claim(const Observed& observed, Preparation& preparation) {
    if (!is_claim_unproven(observed)) return;
    if (!observed.claim) {
        preparation.read_claim = true;
        return;
    }
    ClaimVerdict verdict = judge_claim(observed);
    preparation.make_claim = verdict.kind == ClaimVerdict::Kind::ToBeMade;
    if (verdict.kind == ClaimVerdict::Kind::Refused) preparation.refused = std::move(verdict.why);
    if (verdict.kind == ClaimVerdict::Kind::Awaited) preparation.awaited = std::move(verdict.why);
}

void prepare_gang(const Observed& observed, const Settings& settings, Preparation& preparation) {
    preparation.gang = observed.job.status.gang;
    if (!is_gang_undecided(observed, settings)) return;
    if (!observed.apis) {
        preparation.read_apis = true;
        return;
    }
    GangChoice choice = choose_gang(observed.job.spec.scheduling, *observed.apis);
    if (!choice.missing) {
        preparation.gang = std::move(choice.api);
        return;
    }
    preparation.unschedulable = true;
    preparation.awaited = std::move(choice.missing);
}

}  // namespace

Preparation prepare(const Observed& observed, const Settings& settings) {
    Preparation preparation;
    if (settings.in_cluster) prepare_claim(observed, preparation);
    prepare_gang(observed, settings, preparation);
    return preparation;
}

std::optional<Failure> refused_here(const EvalJob& job, const Settings& settings) {
    if (!settings.in_cluster) return {};
    if (claim_of(job).empty())
        return Failure{"NoClaim",
                       "spec.storage: in a cluster the nodes share a volume: name a PersistentVolumeClaim (claimName), "
                       "or have one made (claimTemplate)"};
    return forbidden_use(job, settings);
}

}  // namespace evaljob
