#include "house.hpp"

namespace evaljob::house {

namespace {

Files everywhere_but(std::vector<std::string> but) {
    return {{"api/", "operator/", "evaljob-runner/", "local/", "cli/", "net/", "tests/"}, std::move(but)};
}

}  // namespace

const std::vector<std::string>& source_folders() {
    static const std::vector<std::string> folders{"api", "operator", "evaljob-runner", "local", "cli", "net", "cmake"};
    return folders;
}

Files pure_files() {
    return {{
                "api/",
                "operator/plan/",
                "operator/kube/",
                "operator/event_object.",
                "evaljob-runner/communicate/bounded.",
                "evaljob-runner/communicate/collective.",
                "evaljob-runner/communicate/communicator.",
                "evaljob-runner/communicate/door.",
                "evaljob-runner/communicate/spread.",
                "evaljob-runner/coordinator/",
                "evaljob-runner/dataset/dataset.hpp",
                "evaljob-runner/dataset/json_sample.",
                "evaljob-runner/dataset/quoted_list.",
                "evaljob-runner/dataset/sample_tokens.",
                "evaljob-runner/dataset/tsv.",
                "evaljob-runner/dataset/tsv_sample.",
                "evaljob-runner/engine/choose_token.",
                "evaljob-runner/engine/command_protocol.",
                "evaljob-runner/engine/engine.",
                "evaljob-runner/engine/engine_text.",
                "evaljob-runner/engine/graph_choice.",
                "evaljob-runner/engine/halving.",
                "evaljob-runner/engine/in_parts.",
                "evaljob-runner/engine/openai/api_key.",
                "evaljob-runner/engine/openai/chat_answer.",
                "evaljob-runner/engine/openai/chat_request.",
                "evaljob-runner/engine/openai/concurrency.",
                "evaljob-runner/engine/openai/content_encoding.",
                "evaljob-runner/engine/openai/destination.",
                "evaljob-runner/engine/openai/finish_reason.",
                "evaljob-runner/engine/openai/fit.",
                "evaljob-runner/engine/openai/keeping.",
                "evaljob-runner/engine/openai/model_list.",
                "evaljob-runner/engine/openai/options.",
                "evaljob-runner/engine/openai/prompt.",
                "evaljob-runner/engine/openai/proxy.hpp",
                "evaljob-runner/engine/openai/redaction.",
                "evaljob-runner/engine/openai/silence.",
                "evaljob-runner/engine/openai/url.",
                "evaljob-runner/engine/openai/verdict.",
                "evaljob-runner/engine/package_fit.",
                "evaljob-runner/engine/refilling.",
                "evaljob-runner/engine/sample_seed.",
                "evaljob-runner/engine/stop_texts.",
                "evaljob-runner/engine/text_model.",
                "evaljob-runner/engine/torch_words.",
                "evaljob-runner/image/",
                "evaljob-runner/launch/exit_status.",
                "evaljob-runner/launch/node_metrics.",
                "evaljob-runner/launch/node_writes.",
                "evaljob-runner/launch/progress_json.",
                "evaljob-runner/launch/rank_exit.",
                "evaljob-runner/merge/answers.",
                "evaljob-runner/merge/characters.",
                "evaljob-runner/merge/chrome_trace.",
                "evaljob-runner/merge/failure_reasons.",
                "evaljob-runner/merge/grading.",
                "evaljob-runner/merge/image_records.",
                "evaljob-runner/merge/labels.",
                "evaljob-runner/merge/metrics.",
                "evaljob-runner/merge/output_line.",
                "evaljob-runner/merge/proof.",
                "evaljob-runner/merge/proof_file.",
                "evaljob-runner/merge/report.",
                "evaljob-runner/merge/report_answers.",
                "evaljob-runner/merge/report_parts.",
                "evaljob-runner/merge/report_scores.",
                "evaljob-runner/merge/report_timeline.",
                "evaljob-runner/merge/embedded.",
                "evaljob-runner/merge/result_lines.",
                "evaljob-runner/merge/scorer_protocol.",
                "evaljob-runner/merge/statistics.",
                "evaljob-runner/merge/text_metrics.",
                "evaljob-runner/merge/text_scores.",
                "evaljob-runner/merge/timeline.",
                "evaljob-runner/merge/vqa_accuracy.",
                "evaljob-runner/milliseconds.",
                "evaljob-runner/rank/evaluated_lease.",
                "evaljob-runner/rank/leases_ahead.",
                "evaljob-runner/rank/rank_loop.",
                "evaljob-runner/rank/session_state.",
                "evaljob-runner/shard/done_marker.",
                "evaljob-runner/shard/frame.",
                "evaljob-runner/shard/shard_json.",
                "evaljob-runner/shard/shard_log.hpp",
                "evaljob-runner/storage/layout.",
                "local/admission.",
                "net/seldom.",
                "local/job_plan.",
                "local/kubelet_requests.",
                "local/label_selector.",
                "local/line_buffer.",
                "local/memory_api.",
                "local/memory_call.",
                "local/memory_read.",
                "local/metav1.",
                "local/object_store.",
                "local/object_write.",
                "local/pod_environment.",
                "local/pod_status.",
                "local/resource_path.",
                "local/secret_files.",
                "local/watch_stream.",
                // Every file has what this one includes, whether it says so or not.
                "cmake/precompiled.",
                "cli/progress_view.",
                "cli/result_summary.",
            },
            {}};
}

const std::vector<NeverIncludes>& include_rules() {
    static const std::vector<NeverIncludes> rules{
        {"PureFilesHaveNoSockets", pure_files(), {"boost/asio", "boost/beast", "sys/socket.h", "netinet/", "arpa/"}},
        {"PureFilesHaveNoThreads",
         pure_files(),
         {"thread", "mutex", "shared_mutex", "condition_variable", "future", "stop_token", "semaphore", "barrier",
          "latch", "pthread.h"}},
        {"PureFilesHaveNoProcesses", pure_files(), {"unistd.h", "signal.h", "csignal", "sys/", "poll.h", "fcntl.h"}},
        {"FewFilesHaveLibtorch",
         everywhere_but({"evaljob-runner/communicate/gloo.cpp", "evaljob-runner/engine/torch_bytes.hpp",
                         "evaljob-runner/engine/torch_classifier.", "evaljob-runner/engine/torchscript.cpp",
                         "evaljob-runner/engine/torchscript_network.cpp", "evaljob-runner/engine/generating_engine.cpp",
                         "evaljob-runner/engine/text_module.", "evaljob-runner/engine/text_network.hpp",
                         "evaljob-runner/engine/package_network.cpp", "evaljob-runner/engine/package_program.",
                         "evaljob-runner/engine/torch_precision.", "evaljob-runner/engine/package_archive.cpp",
                         "evaljob-runner/engine/aot_inductor.cpp", "evaljob-runner/engine/device_inputs.",
                         "evaljob-runner/engine/graphed_forward.", "evaljob-runner/engine/cuda_graphs.cpp",
                         "tests/torch/device_inputs_test.cpp", "tests/torch/graphed_forward_test.cpp",
                         "tests/torch/refilling_test.cpp"}),
         {"torch/", "ATen/", "c10/", "caffe2/"}},
        {"OneFileHasNccl", everywhere_but({"evaljob-runner/communicate/nccl.cpp"}), {"nccl.h", "cuda_runtime"}},
        {"OneFileHasCpprest", everywhere_but({"operator/cluster/cpprest_transport.cpp"}), {"cpprest/", "pplx/"}},
    };
    return rules;
}

const std::vector<IncludesOnly>& arrows() {
    static const std::vector<IncludesOnly> rules{
        {"ApiKnowsOnlyItself", {{"api/"}, {}}, {{"api/"}, {}}},
        {"NetKnowsOnlyApi", {{"net/"}, {}}, {{"api/", "net/"}, {}}},
        {"PureFilesKnowOnlyPureFiles", pure_files(), pure_files()},
        {"PlanKnowsNoRequests", {{"operator/plan/"}, {}}, {{"api/", "operator/plan/"}, {}}},
        {"OperatorKnowsNeitherRunnerNorLocalModeNorCli", {{"operator/"}, {}}, {{"api/", "operator/", "net/"}, {}}},
        {"CoordinatorKnowsNoShell",
         {{"evaljob-runner/coordinator/"}, {}},
         {{"api/", "evaljob-runner/coordinator/", "evaljob-runner/milliseconds."}, {}}},
        {"RunnerKnowsNeitherOperatorNorLocalModeNorCli",
         {{"evaljob-runner/"}, {}},
         {{"api/", "evaljob-runner/", "net/"}, {}}},
        {"LocalModeKnowsTheOperatorsRequestsAlone", {{"local/"}, {}}, {{"api/", "local/", "operator/kube/"}, {}}},
        {"IncludesStartAtTheRoot",
         {source_folders(), {}},
         {{"api/", "operator/", "evaljob-runner/", "local/", "cli/", "net/"}, {}}},
    };
    return rules;
}

const std::vector<NeverNames>& name_rules() {
    static const std::vector<NeverNames> rules{
        {"PureFilesHaveNoClock",
         pure_files(),
         {"system_clock", "steady_clock", "high_resolution_clock", "file_clock", "utc_clock", "clock_gettime",
          "gettimeofday", "timespec_get"},
         {"time", "clock"}},
        {"PureFilesHaveNoRandomness", pure_files(), {"random_device"}, {"rand", "srand"}},
    };
    return rules;
}

const std::vector<NeverWords>& word_rules() {
    static const std::vector<NeverWords> rules{
        {"NamesSayWhatAThingIs",
         everywhere_but({}),
         {"manager", "handler", "helper", "util", "utility"},
         {"Json::error_handler_t", "YAML::EventHandler", "cfg::helpers"}},
    };
    return rules;
}

}  // namespace evaljob::house
