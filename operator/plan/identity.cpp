#include "operator/plan/identity.hpp"

#include "api/progress_report.hpp"

namespace evaljob {
namespace {

bool is_done_writer(const EvalJob& job, const PodView& pod) {
    return is_own_node_pod(job, pod) && pod.node == 0 && has_succeeded(pod);
}

std::string last_words(const Observed& observed) {
    const PodView* latest = nullptr;
    for (const PodView& pod : observed.pods)
        if (is_done_writer(observed.job, pod) && (!latest || pod.attempt > latest->attempt)) latest = &pod;
    const ContainerView* runner = latest ? runner_of(*latest) : nullptr;
    return runner ? identity_in_last_words(runner->termination_message) : std::string();
}

}  // namespace

std::string known_identity(const Observed& observed) {
    if (!observed.job.spec.eval) return {};
    if (std::string said = last_words(observed); !said.empty()) return said;
    if (observed.progress && !observed.progress->identity.empty()) return observed.progress->identity;
    return observed.job.status.identity;
}

bool is_identity_unknown(const Observed& observed) {
    return observed.job.spec.eval && known_identity(observed).empty();
}

std::optional<Failure> silent_for_good(const Observed& observed) {
    const PodView* first = nullptr;
    for (const PodView& pod : observed.pods) {
        if (!is_done_writer(observed.job, pod)) continue;
        if (first)
            return Failure{"IdentityUnknown",
                           "Pods " + first->name + " and " + pod.name +
                               " have succeeded without saying what they evaluated (their termination messages name "
                               "no identity), so that no merge can be held to it: give the template an image whose "
                               "evaljob-runner is of this operator's version, and make the EvalJob again"};
        first = &pod;
    }
    return {};
}

}  // namespace evaljob
