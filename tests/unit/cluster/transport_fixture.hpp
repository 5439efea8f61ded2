// A CpprestTransport that talks to a server which does what the test tells it to.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "operator/cluster/cpprest_transport.hpp"
#include "tests/unit/cluster/bad_server.hpp"

namespace evaljob::test {

/// For what must never be the reason that a test ends.
inline constexpr std::chrono::milliseconds for_ever{600'000};

inline kube::Request read_pods() { return kube::list(kube::pods, "default", ""); }
inline kube::Request watch_pods() { return kube::watch(kube::pods, "default", "", "5"); }
inline kube::Request make_pod() { return kube::create(kube::pods, "default", {{"metadata", {{"name", "a"}}}}); }

class TransportTest : public testing::Test {
protected:
    TransportTest() {
        std::string name = (std::filesystem::temp_directory_path() / "evaljob-transport-XXXXXX").string();
        if (::mkdtemp(name.data())) folder = name;
        write("ca.crt", authority.certificate);
        access.ca.file = path("ca.crt");
        access.token_file = write("token", "first-token");
    }
    ~TransportTest() override {
        if (transport) transport->end_streams();
        transport.reset();
        std::filesystem::remove_all(folder);
    }

    std::string path(const std::string& name) const { return (folder / name).string(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << text;
        return path(name);
    }

    void serve(BadServer::Script script) { serve({server_certificate}, std::move(script)); }
    void serve(ServerOptions options, BadServer::Script script) {
        server = std::make_unique<BadServer>(std::move(options), std::move(script));
        access.server = server->url();
    }
    void connect(cluster::TransportOptions options = {for_ever, for_ever}) {
        auto who = std::make_shared<cluster::Credentials>(access, [this] { return now.load(); });
        auto made = cluster::CpprestTransport::connect(access.server, std::move(who), "evaljob-test", options);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        transport = std::move(*made);
    }
    /// How often the server heard a request of this method.
    int heard(const std::string& verb) const {
        int count = 0;
        for (const Heard& one : server->heard()) count += one.verb == verb;
        return count;
    }

    KeyPair authority = make_authority("test-authority");
    KeyPair server_certificate = make_certificate({"test-server"}, &authority);
    std::filesystem::path folder;
    kube::ClusterAccess access;
    std::atomic<UnixSeconds> now = 1'800'000'000;
    std::unique_ptr<BadServer> server;
    std::unique_ptr<cluster::CpprestTransport> transport;
};

}  // namespace evaljob::test
