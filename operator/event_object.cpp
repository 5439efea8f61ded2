#include "operator/event_object.hpp"

#include "api/digest.hpp"
#include "operator/plan/time.hpp"

namespace evaljob {

Json event_object(const EvalJob& job, const Event& event, UnixSeconds now) {
    const std::string digest = sha256_hex(job.meta.uid + "\n" + event.reason + "\n" + event.note);
    // The time first: `kubectl describe` shows events of this API in the order of their names.
    const std::string name = job.meta.name + "." + std::to_string(now) + "." + digest.substr(0, 8);
    std::string micro_time = rfc3339(now);
    micro_time.insert(micro_time.size() - 1, ".000000");
    return {{"apiVersion", "events.k8s.io/v1"},
            {"kind", "Event"},
            {"metadata", {{"name", name}, {"namespace", job.meta.ns}}},
            {"eventTime", micro_time},
            {"type", event.warning ? "Warning" : "Normal"},
            {"reason", event.reason},
            {"action", event.reason},
            {"note", event.note},
            {"regarding",
             {{"apiVersion", api_version},
              {"kind", kind},
              {"name", job.meta.name},
              {"namespace", job.meta.ns},
              {"uid", job.meta.uid}}},
            {"reportingController", "evaljob.dev/operator"},
            {"reportingInstance", "evaljob-operator"}};
}

}  // namespace evaljob
