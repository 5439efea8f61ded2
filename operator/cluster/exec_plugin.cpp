#include "operator/cluster/exec_plugin.hpp"

#include <chrono>
#include <future>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/process.hpp>

#include "api/json.hpp"
#include "operator/cluster/system_authorities.hpp"

namespace evaljob::cluster {
namespace {

namespace process = boost::process;

constexpr std::chrono::seconds longest_run{60};

template <class T>
bool is_ready(const std::future<T>& future) {
    return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
}

Result<std::string> run(const kube::ExecPlugin& plugin, const std::string& path) {
    process::environment environment = boost::this_process::environment();
    show_system_authorities(environment);
    for (const auto& [name, value] : plugin.env) environment[name] = value;
    environment["KUBERNETES_EXEC_INFO"] =
        Json{{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", {{"interactive", false}}}}.dump();
    boost::asio::io_context context;
    std::future<std::string> printed;
    std::future<int> ended;
    process::child child(path, process::args(plugin.args), environment,
                         process::std_in<process::null, process::std_out> printed, process::on_exit(ended), context);
    context.run_for(longest_run);
    if (!is_ready(printed) || !is_ready(ended)) {
        child.terminate();
        return fail("ExecFailed", plugin.command + ": took more than 60 s", true);
    }
    if (const int code = ended.get(); code != 0)
        return fail("ExecFailed", plugin.command + ": ended with " + std::to_string(code), true);
    return printed.get();
}

}  // namespace

Result<std::string> run_exec_plugin(const kube::ExecPlugin& plugin) {
    const bool looked_for = plugin.command.find('/') == std::string::npos;
    const std::string path = looked_for ? process::search_path(plugin.command).string() : plugin.command;
    if (path.empty())
        return fail("ExecFailed", plugin.command + ": is not on PATH" +
                                      (plugin.install_hint.empty() ? "" : "; " + plugin.install_hint));
    try {
        return run(plugin, path);
    } catch (const std::exception& error) {
        return fail("ExecFailed", plugin.command + ": " + error.what());
    }
}

}  // namespace evaljob::cluster
