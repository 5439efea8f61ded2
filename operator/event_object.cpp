#include "operator/event_object.hpp"

#include "api/digest.hpp"
#include "operator/plan/time.hpp"

namespace evaljob {

Json event_object(const EvalJob& job, const Event& event, UnixSeconds now) {
    const std::string digest = sha256_hex(job.meta.uid + "\n" + event.reason + "\n" + event.note);
    std::string micro_time = rfc3339(now);
    micro_time.insert(micro_time.size() - 1, ".000000");
    return {{"apiVersion", "events.k8s.io/v1"},
            {"kind", "Event"},
            {"metadata", {{"name", job.meta.name + "." + digest.substr(0, 16)}, {"namespace", job.meta.ns}}},
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
