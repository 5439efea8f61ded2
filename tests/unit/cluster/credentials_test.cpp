// Tokens and certificates that change while we run: real files, a clock of our own.
#include "operator/cluster/credentials.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "operator/cluster/system_authorities.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::cluster {
namespace {

namespace fs = std::filesystem;

class CredentialsTest : public testing::Test {
protected:
    CredentialsTest() {
        std::string name = (fs::temp_directory_path() / "evaljob-credentials-XXXXXX").string();
        if (::mkdtemp(name.data())) folder = name;
    }
    ~CredentialsTest() override { fs::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text, bool program = false) {
        const fs::path path = folder / name;
        std::ofstream(path) << text;
        if (program) fs::permissions(path, fs::perms::owner_all);
        return path.string();
    }
    Credentials of(kube::ClusterAccess access) {
        return {std::move(access), [this] { return now; }};
    }

    fs::path folder;
    UnixSeconds now = 1'800'000'000;
};

TEST_F(CredentialsTest, ATokenFileIsReadAgainAfterAMinute) {
    kube::ClusterAccess access;
    access.token_file = write("token", "one\n");
    Credentials who = of(access);
    EXPECT_EQ(who.token(), "one");
    write("token", "two\n");
    now += 59;
    EXPECT_EQ(who.token(), "one");
    now += 1;
    EXPECT_EQ(who.token(), "two");
}

TEST_F(CredentialsTest, ARefusedTokenIsReadAgainAtOnce) {
    kube::ClusterAccess access;
    access.token_file = write("token", "one");
    Credentials who = of(access);
    EXPECT_EQ(who.token(), "one");
    write("token", "two");
    who.refused("one");
    EXPECT_EQ(who.token(), "two");
    write("token", "three");
    who.refused("one");
    EXPECT_EQ(who.token(), "two") << "a late word about the old one";
}

TEST_F(CredentialsTest, TheLastGoodTokenIsKeptWhenTheFileIsGone) {
    kube::ClusterAccess access;
    access.token_file = write("token", "one");
    Credentials who = of(access);
    EXPECT_EQ(who.token(), "one");
    fs::remove(access.token_file);
    now += 3600;
    EXPECT_EQ(who.token(), "one");
}

TEST_F(CredentialsTest, ATokenFileThatIsMissingFromTheStartIsNamed) {
    kube::ClusterAccess access;
    access.token_file = (folder / "nothing").string();
    const auto token = of(access).token();
    ASSERT_FALSE(token.has_value());
    EXPECT_EQ(token.error().message, access.token_file + ": No such file or directory");
}

TEST_F(CredentialsTest, AProgramIsRunAgainBeforeItsTokenExpires) {
    kube::ClusterAccess access;
    access.exec =
        kube::ExecPlugin{"client.authentication.k8s.io/v1",
                         write("login",
                               "#!/bin/sh\necho x >>" + (folder / "runs").string() +
                                   "\nprintf '{\"status\": {\"token\": \"t%s\", \"expirationTimestamp\": \"" +
                                   rfc3339(now + 100) + "\"}}' \"$(wc -l <" + (folder / "runs").string() + ")\"\n",
                               true),
                         {},
                         {},
                         ""};
    Credentials who = of(access);
    EXPECT_EQ(who.token(), "t1");
    now += 89;
    EXPECT_EQ(who.token(), "t1");
    now += 1;
    EXPECT_EQ(who.token(), "t2");
}

TEST_F(CredentialsTest, AProgramFindsTheSystemsAuthorities) {
    ::setenv("SSL_CERT_FILE", "/of/the/system", 1);
    ::unsetenv("SSL_CERT_DIR");
    hide_system_authorities();
    EXPECT_STREQ(std::getenv("SSL_CERT_FILE"), "/dev/null");
    kube::ClusterAccess access;
    access.exec = kube::ExecPlugin{
        "v1",
        write("login", "#!/bin/sh\nprintf '{\"status\": {\"token\": \"%s,%s\"}}' $SSL_CERT_FILE ${SSL_CERT_DIR-none}\n",
              true),
        {},
        {},
        ""};
    EXPECT_EQ(of(access).token(), "/of/the/system,none");
}

TEST_F(CredentialsTest, AProgramThatFailsIsNamed) {
    kube::ClusterAccess access;
    access.exec = kube::ExecPlugin{"v1", write("login", "#!/bin/sh\nexit 3\n", true), {}, {}, ""};
    const auto token = of(access).token();
    ASSERT_FALSE(token.has_value());
    EXPECT_EQ(token.error().message, access.exec->command + ": ended with 3");
}

TEST_F(CredentialsTest, AProgramThatIsNotThereSaysHowToGetIt) {
    kube::ClusterAccess access;
    access.exec = kube::ExecPlugin{"v1", "no-such-login", {}, {}, "install the cloud's tools"};
    const auto token = of(access).token();
    ASSERT_FALSE(token.has_value());
    EXPECT_EQ(token.error().message, "no-such-login: is not on PATH; install the cloud's tools");
}

TEST_F(CredentialsTest, CertificatesAreReadAgain) {
    kube::ClusterAccess access;
    access.ca.file = write("ca.crt", "ca one");
    Credentials who = of(access);
    EXPECT_EQ(who.tls()->ca, "ca one");
    write("ca.crt", "ca two");
    now += 10;
    EXPECT_EQ(who.tls()->ca, "ca two");
    fs::remove(access.ca.file);
    now += 10;
    EXPECT_EQ(who.tls()->ca, "ca two") << "what was good last is kept";
}

}  // namespace
}  // namespace evaljob::cluster
