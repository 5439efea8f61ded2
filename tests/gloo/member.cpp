// A member of a Gloo group for gloo_test: reads a model's file as the rank of a node of its own does.
// gloo_member FOLDER INDEX COUNT MODEL HOW: HOW is well, absent (never comes), other (means another file), or what
// happens to it and when: dies-entered, hangs-entered, dies-reading, hangs-reading.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "api/digest.hpp"
#include "evaljob-runner/communicate/gloo.hpp"
#include "evaljob-runner/communicate/spread.hpp"
#include "evaljob-runner/engine/model_file.hpp"

namespace evaljob {
namespace {

constexpr std::int64_t limit_ms = 3'000;

struct Member {
    std::string folder;
    std::uint32_t index = 0;
    std::uint32_t count = 0;
    ModelFile model;
    std::string how;

    void meet(const std::string& moment) const {
        if (how == "dies-" + moment) ::raise(SIGKILL);
        if (how == "hangs-" + moment) ::raise(SIGSTOP);
    }

    void tell(const std::string& name, const std::string& text) const {
        const std::string path = folder + "/" + name + "-" + std::to_string(index);
        std::ofstream(path + ".new") << text;
        std::filesystem::rename(path + ".new", path);
    }

    /// As the coordinator would hand it out.
    Group group() const {
        Group group{1, index, {}};
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::string path = folder + "/address-" + std::to_string(i);
            while (!std::filesystem::exists(path)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            std::string address;
            std::ifstream(path) >> address;
            group.members.push_back(address);
        }
        return group;
    }

    Result<void> from_group(const ModelReader& reader, char* to) const {
        auto door = open_gloo_door("127.0.0.1", limit_ms);
        if (!door) return tl::unexpected(door.error());
        tell("address", (*door)->address());
        const Group members = group();
        if (how == "absent") return fail("Unavailable", "this one never comes");
        const auto group = (*door)->enter(members);
        if (!group) return tl::unexpected(group.error());
        meet("entered");
        const std::string what = how == "other" ? "another" : model.sha256;
        auto done = spread(**group, {what, reader.size()}, to, [&](std::uint64_t offset, char* at, std::size_t count) {
            if (offset > 0) meet("reading");
            return reader.read(offset, at, count);
        });
        if (done) tell("group", "all bytes");
        return done;
    }
};

int run(const Member& member) {
    auto memory = MemoryFile::make();
    if (!memory) return 2;
    const auto bytes = read_model_file(
        member.model, &*memory, [&](const ModelReader& reader, char* to) { return member.from_group(reader, to); });
    if (!bytes) {
        std::cerr << bytes.error().message << std::endl;
        return 1;
    }
    member.tell("sha256", sha256_hex(bytes->bytes));
    return 0;
}

}  // namespace
}  // namespace evaljob

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    evaljob::Member member{argv[1],
                           static_cast<std::uint32_t>(std::atoi(argv[2])),
                           static_cast<std::uint32_t>(std::atoi(argv[3])),
                           {argv[4], ""},
                           argv[5]};
    member.model.sha256 = *evaljob::sha256_file(argv[4]);
    return evaljob::run(member);
}
