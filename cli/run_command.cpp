#include "cli/run_command.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "api/json.hpp"
#include "api/printable.hpp"
#include "api/printable_lines.hpp"
#include "cli/exit_status.hpp"
#include "cli/local_run.hpp"
#include "cli/result_summary.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t max_metrics_bytes = 64U << 20U;

/// Where a run's story is told: a terminal, a log, or a program.
class Teller {
public:
    virtual ~Teller() = default;
    virtual void view(const RunView& view) = 0;
    virtual void note(const std::string& text) = 0;
    virtual void end(const LocalRunEnd& end, const std::string& text) = 0;
};

class TerminalTeller : public Teller {
public:
    void view(const RunView& view) override {
        winsize size{};
        const int columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
        std::cout << "\r\x1b[K" << bar_line(view, columns - 1) << std::flush;
    }
    void note(const std::string& text) override { std::cout << "\r\x1b[K" << printable(text) << std::endl; }
    void end(const LocalRunEnd&, const std::string& text) override { std::cout << "\n" << text << std::flush; }
};

/// A line when the status changes, and every five seconds.
class PlainTeller : public Teller {
public:
    void view(const RunView& view) override {
        const auto now = std::chrono::steady_clock::now();
        const bool changed = view.status != last_status_ || view.waiting_for != last_wait_;
        if (!changed && now - last_ < std::chrono::seconds(5)) return;
        last_status_ = view.status;
        last_wait_ = view.waiting_for;
        last_ = now;
        std::cout << plain_line(view) << std::endl;
    }
    void note(const std::string& text) override { std::cout << printable(text) << std::endl; }
    void end(const LocalRunEnd&, const std::string& text) override { std::cout << text << std::flush; }

private:
    std::string last_status_;
    std::string last_wait_;
    std::chrono::steady_clock::time_point last_;
};

class JsonTeller : public Teller {
public:
    void view(const RunView& view) override {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::seconds(1)) return;
        last_ = now;
        line({{"type", "progress"},
              {"status", view.status},
              {"nodes", view.nodes},
              {"samplesDone", view.samples_done},
              {"samplesTotal", view.samples_total},
              {"samplesPerSecond", view.samples_per_second},
              {"etaSeconds", view.eta_seconds},
              {"ranksConnected", view.ranks_connected},
              {"worldSize", view.world_size},
              {"waitingFor", view.waiting_for}});
    }
    void note(const std::string& text) override { line({{"type", "warning"}, {"message", text}}); }
    void end(const LocalRunEnd& end, const std::string&) override {
        line({{"type", "end"},
              {"interrupted", end.interrupted},
              {"lost", end.lost},
              {"output", end.shared_dir},
              {"logs", end.log_folder},
              {"status", status_to_json(end.status)}});
    }

private:
    static void line(const Json& object) { std::cout << json_line(object) << std::endl; }
    std::chrono::steady_clock::time_point last_;
};

std::unique_ptr<Teller> make_teller(bool json) {
    if (json) return std::make_unique<JsonTeller>();
    if (::isatty(STDOUT_FILENO) != 0) return std::make_unique<TerminalTeller>();
    return std::make_unique<PlainTeller>();
}

const Condition* condition(const EvalJobStatus& status, const std::string& type) {
    for (const Condition& c : status.conditions) {
        if (c.type == type && c.status) return &c;
    }
    return nullptr;
}

/// As the person would open it: relative to where they stand, when that is shorter.
std::string for_a_person(const std::string& path) {
    std::error_code error;
    const std::string relative = std::filesystem::relative(path, error).string();
    return printable(error || relative.size() >= path.size() || relative.starts_with("../..") ? path : relative);
}

std::string success_text(const LocalRunEnd& end) {
    const auto current = read_file(end.shared_dir + "/CURRENT", 4096);
    if (!current) return "Succeeded, but the results cannot be read: " + printable(current.error().message) + "\n";
    const std::string folder = end.shared_dir + "/results/" + current->substr(0, current->find('\n'));
    const auto text = read_file(folder + "/metrics.json", max_metrics_bytes);
    const Json metrics = text ? Json::parse(*text, nullptr, false) : Json();
    if (!metrics.is_object()) return "Succeeded, but " + for_a_person(folder) + "/metrics.json cannot be read\n";
    return "Succeeded\n\n" + result_summary(end.status, metrics, for_a_person(folder));
}

std::string end_text(const LocalRunEnd& end) {
    if (end.interrupted) {
        return "Stopped. What is done stays in " + for_a_person(end.shared_dir) +
               "; the same command again goes on from there.\n";
    }
    if (!end.lost.empty()) return "Failed: " + printable(end.lost) + "; the same command again goes on from there.\n";
    if (condition(end.status, "Succeeded") != nullptr) return success_text(end);
    const Condition* failed = condition(end.status, "Failed");
    const std::string why = failed == nullptr ? "for an unknown reason" : failed->reason + ": " + failed->message;
    return "Failed: " + printable(why) + "\n\n  logs     " + for_a_person(end.log_folder) + "\n";
}

int status_of(const LocalRunEnd& end) {
    if (end.interrupted) return cli_exit::interrupted;
    if (!end.lost.empty()) return cli_exit::failed;
    return condition(end.status, "Succeeded") != nullptr ? cli_exit::success : cli_exit::failed;
}

/// Why a valid EvalJob would wait here for ever: there is no cluster in which anyone could change it.
std::string never_runs(const EvalJobSpec& spec) {
    if (spec.suspend) return "spec.suspend: is true, so nothing would run here; set it to false";
    if (!spec.managed_by.empty() && spec.managed_by != operator_name)
        return "spec.managedBy: is " + spec.managed_by + ", so nothing would run here; remove it";
    return "";
}

/// What the merge of an image of the user's own will need, and is not there. The image may bring it, so it is no error.
std::vector<std::string> missing_yet(const JobFile& file) {
    std::vector<std::string> notes;
    const auto& expect = file.job.spec.merge.expect;
    if (!expect) return notes;
    for (const auto& [field, named] : {std::pair("path", expect->path), std::pair("labelsPath", expect->labels_path)}) {
        const std::filesystem::path path = std::filesystem::path(file.storage_root) / named;
        std::error_code unknown;
        if (named.empty() || std::filesystem::exists(path, unknown) || unknown) continue;
        notes.push_back(std::string("spec.merge.expect.dataset.") + field + ": " + path.lexically_normal().string() +
                        " is not there yet; the merge will need it");
    }
    return notes;
}

}  // namespace

int run_command(const RunCommand& command, const Environment& environment) {
    auto file = read_job_file(command.file, command.overrides);
    if (!file) {
        std::cerr << printable_lines(file.error().message) << std::endl;
        return cli_exit::usage;
    }
    if (const std::string why = never_runs(file->job.spec); !why.empty()) {
        std::cerr << printable(command.file + ": " + why) << std::endl;
        return cli_exit::usage;
    }
    const auto teller = make_teller(command.json);
    for (const std::string& note : missing_yet(*file)) teller->note(note);
    LocalRunOptions options;
    options.file = std::move(*file);
    options.environment = environment;
    options.program_folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
    options.on_view = [&](const RunView& view) { teller->view(view); };
    options.on_note = [&](const std::string& text) { teller->note(text); };
    const auto end = run_locally(std::move(options));
    if (!end) {
        std::cerr << printable(end.error().message) << std::endl;
        return cli_exit::failed;
    }
    teller->end(*end, end_text(*end));
    return status_of(*end);
}

}  // namespace evaljob
