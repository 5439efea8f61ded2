#include "operator/kube/kubeconfig.hpp"

#include <gtest/gtest.h>

#include "api/yaml.hpp"

namespace evaljob::kube {
namespace {

Kubeconfig file(const std::string& text, const std::string& path = "/home/me/.kube/config") {
    return {parse_yaml(text, path).value(), path.substr(0, path.rfind('/')), path};
}

const char* const whole = R"(
clusters:
- name: east
  cluster: {server: "https://east:6443/", certificate-authority: pki/ca.crt}
- name: west
  cluster: {server: "https://west:6443", certificate-authority-data: Y2E=}
users:
- name: me
  user: {client-certificate: /pki/me.crt, client-key-data: a2V5}
- name: bot
  user: {tokenFile: bot.token, token: old}
- name: cloud
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a, b], env: [{name: K, value: v}]}}
contexts:
- name: mine
  context: {cluster: east, user: me, namespace: vision}
- name: bots
  context: {cluster: west, user: bot}
- name: clouds
  context: {cluster: west, user: cloud}
current-context: mine
)";

TEST(Kubeconfig, TheCurrentContext) {
    const auto access = access_of({file(whole)}, "");
    ASSERT_TRUE(access.has_value()) << access.error().message;
    EXPECT_EQ(access->server, "https://east:6443");
    EXPECT_EQ(access->ns, "vision");
    EXPECT_EQ(access->ca.file, "/home/me/.kube/pki/ca.crt") << "from the file's folder";
    EXPECT_EQ(access->client_certificate.file, "/pki/me.crt");
    EXPECT_EQ(access->client_key.text, "key");
}

TEST(Kubeconfig, ATokenFile) {
    const auto access = access_of({file(whole)}, "bots");
    ASSERT_TRUE(access.has_value());
    EXPECT_EQ(access->ca.text, "ca");
    EXPECT_EQ(access->token_file, "/home/me/.kube/bot.token");
    EXPECT_EQ(access->ns, "");
}

TEST(Kubeconfig, AProgram) {
    const auto access = access_of({file(whole)}, "clouds");
    ASSERT_TRUE(access.has_value());
    ASSERT_TRUE(access->exec.has_value());
    EXPECT_EQ(access->exec->command, "/home/me/.kube/./login");
    EXPECT_EQ(access->exec->args, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(access->exec->env.at("K"), "v");
}

TEST(Kubeconfig, OfSeveralFilesTheFirstThatHasANameCounts) {
    const auto first = file(R"(
clusters: [{name: east, cluster: {server: "https://other:1"}}]
current-context: bots)",
                            "/etc/first");
    const auto access = access_of({first, file(whole)}, "mine");
    ASSERT_TRUE(access.has_value());
    EXPECT_EQ(access->server, "https://other:1");
    EXPECT_EQ(access_of({first, file(whole)}, "")->server, "https://west:6443");
}

struct Refused {
    const char* name;
    const char* cluster;
    const char* user;
    const char* context;
    const char* message;
};

class RefusedKubeconfig : public testing::TestWithParam<Refused> {};

TEST_P(RefusedKubeconfig, NamesTheFileAndTheMend) {
    const Refused& row = GetParam();
    const std::string text =
        std::string("clusters: [{name: c, cluster: {") + row.cluster + "}}]\nusers: [{name: u, user: {" + row.user +
        "}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}, {name: lost, context: {cluster: d}}, "
        "{name: z, context: {cluster: c, user: v}}]\n";
    const auto access = access_of({file(text, "/k")}, row.context);
    ASSERT_FALSE(access.has_value());
    EXPECT_EQ(access.error().reason, "InvalidKubeconfig");
    EXPECT_EQ(access.error().message, row.message);
}

constexpr const char* good = R"(server: "https://s:1")";

INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedKubeconfig,
    testing::Values(
        Refused{"NoContext", good, "", "", "no kubeconfig has a current-context: name one with --context"},
        Refused{"UnknownContext", good, "", "w", "no kubeconfig has a context \"w\": name another with --context"},
        Refused{"UnknownCluster", good, "", "lost", "no kubeconfig has a cluster \"d\": mend the context's cluster"},
        Refused{"UnknownUser", good, "", "z", "no kubeconfig has a user \"v\": mend the context's user"},
        Refused{"PlainHttp", R"(server: "http://s:1")", "", "x",
                "/k: cluster \"c\": server must begin with https://, is \"http://s:1\""},
        Refused{"Insecure", R"(server: "https://s:1", insecure-skip-tls-verify: true)", "", "x",
                "/k: cluster \"c\": insecure-skip-tls-verify is refused: name the authority in certificate-authority"},
        Refused{"Proxy", R"(server: "https://s:1", proxy-url: "http://p")", "", "x",
                "/k: cluster \"c\": proxy-url is not supported yet"},
        Refused{"NoBase64", R"(server: "https://s:1", certificate-authority-data: "?")", "", "x",
                "/k: certificate-authority-data is no base64"},
        Refused{"KeyAlone", good, "client-key: /k.pem", "x",
                "/k: user \"u\": client-certificate and client-key go together, and one is missing"},
        Refused{"Password", good, "username: me, password: secret", "x",
                "/k: user \"u\": username is not supported: use a token, a client certificate, or exec"},
        Refused{"ExecWithoutCommand", good, "exec: {args: [a]}", "x", "/k: users[].user.exec has no command"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace evaljob::kube
