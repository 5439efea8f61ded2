#include "tests/chart/helm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/process.hpp>

#include "api/json_read.hpp"
#include "api/yaml.hpp"

namespace evaljob::test {
namespace {

namespace fs = std::filesystem;
namespace process = boost::process;

std::string text_at(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// helm's caches and the output of one call at a time; gone with the program.
const fs::path& home() {
    struct Folder {
        fs::path path;
        Folder() {
            std::string name = (fs::temp_directory_path() / "evaljob-helm-XXXXXX").string();
            if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
            path = name;
        }
        ~Folder() {
            std::error_code ignored;
            fs::remove_all(path, ignored);
        }
    };
    static const Folder folder;
    return folder.path;
}

bool is_empty(const std::string& document) {
    std::istringstream lines(document);
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && line[0] != '#') return false;
    return true;
}

}  // namespace

void need_helm() {
    if (!process::search_path("helm").empty()) return;
    const char* why = "helm is not on PATH: there is nothing to test the chart with; ./dev test brings one";
    if (std::getenv("EVALJOB_REQUIRE_API_SERVER") != nullptr) FAIL() << why;
    GTEST_SKIP() << why;
}

HelmAnswer helm(const std::vector<std::string>& args, const std::string& kubeconfig) {
    process::environment environment = boost::this_process::environment();
    environment["HOME"] = home().string();
    environment["KUBECONFIG"] = kubeconfig.empty() ? (home() / "no-cluster").string() : kubeconfig;
    for (const char* name : {"out", "err"}) fs::remove(home() / name);  // would be written over, not anew
    HelmAnswer answer;
    answer.status = process::system(process::search_path("helm"), process::args(args), environment,
                                    (process::std_in < process::null), (process::std_out > (home() / "out").string()),
                                    (process::std_err > (home() / "err").string()));
    answer.out = text_at(home() / "out");
    answer.err = text_at(home() / "err");
    return answer;
}

HelmAnswer render(const std::vector<std::string>& args) {
    std::vector<std::string> all = {"template", "evaljob",     chart,           "--kube-version",
                                    "1.34.0",   "--namespace", "evaljob-system"};
    all.insert(all.end(), args.begin(), args.end());
    return helm(all);
}

std::vector<Json> rendered(const std::vector<std::string>& args) {
    const HelmAnswer answer = render(args);
    EXPECT_EQ(answer.status, 0) << answer.err;
    std::vector<Json> objects;
    std::string document;
    const auto take = [&] {
        if (is_empty(document)) return;
        auto object = parse_yaml(document, "the rendered chart");
        ASSERT_TRUE(object.has_value()) << object.error().message << "\n" << document;
        objects.push_back(std::move(*object));
    };
    std::istringstream lines(answer.out);
    for (std::string line; std::getline(lines, line);) {
        if (line != "---") {
            document += line + "\n";
            continue;
        }
        take();
        document.clear();
    }
    take();
    return objects;
}

Json the(const std::vector<Json>& objects, const std::string& kind, const std::string& name_end) {
    std::vector<const Json*> found;
    for (const Json& object : objects)
        if (text_of(object, "kind") == kind && text_of(member(object, "metadata"), "name").ends_with(name_end))
            found.push_back(&object);
    EXPECT_EQ(found.size(), 1U) << kind << " …" << name_end;
    return found.size() == 1 ? *found[0] : Json();
}

std::vector<std::string> example_values() {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(fs::path(chart) / "ci")) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace evaljob::test
