#include "evaljob-runner/launch/run_files.hpp"

#include "api/digest.hpp"
#include "api/json_text.hpp"
#include "api/run_spec.hpp"
#include "api/runner_environment.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t max_token_bytes = 4096;

constexpr const char* mend =
    "; the operator makes the run's Secret and mounts it in container runner: see that operator and runner are of one "
    "version, and make the EvalJob again";

std::string path_of(const Environment& environment, const char* key) {
    return value_of(environment, runner_environment::run_folder, run_spec::mount_path) + "/" + key;
}

Result<std::string> read(const std::string& path, std::uint64_t limit) {
    auto text = read_file(path, limit);
    if (!text) return fail("ContractViolated", text.error().message + mend);
    return text;
}

}  // namespace

Result<std::string> read_run_spec(const Environment& environment) {
    const std::string expected = value_of(environment, runner_environment::spec_sha256);
    if (expected.empty())
        return fail("ContractViolated", std::string(runner_environment::spec_sha256) +
                                            " is not set; the operator sets it in container runner: see that operator "
                                            "and runner are of one version, and make the EvalJob again");
    const std::string path = path_of(environment, run_spec::spec_key);
    auto text = read(path, run_spec::max_bytes);
    if (!text) return text;
    if (const std::string is = sha256_hex(*text); is != expected)
        return fail("ContractViolated", path + ": is not the spec that this Pod was made for (its digest is " +
                                            is.substr(0, 12) + ", " + runner_environment::spec_sha256 + " is " +
                                            expected.substr(0, 12) +
                                            "): the run's Secret was replaced; make the EvalJob again");
    return text;
}

Result<Eval> read_run_eval(const Environment& environment) {
    const auto text = read_run_spec(environment);
    if (!text) return tl::unexpected(text.error());
    auto eval = parse_eval(parse_json(*text), "spec.eval");
    // What the operator has let pass and this runner refuses: they are of two versions.
    if (!eval) return fail("ContractViolated", eval.error().message + mend);
    return eval;
}

Result<std::string> read_run_token(const Environment& environment) {
    return read(path_of(environment, run_spec::token_key), max_token_bytes);
}

}  // namespace evaljob
