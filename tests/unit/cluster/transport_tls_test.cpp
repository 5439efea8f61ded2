// Whom we trust, and certificates that change while we run.
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "operator/cluster/access.hpp"
#include "tests/unit/cluster/transport_fixture.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

void accept(Conversation& to, const Heard&) { to.reply(200, "{}"); }

struct Trust {
    const char* name;
    CertificateOptions certificate;
    enum class Signer { Trusted, Other, Below } signer = Signer::Trusted;
    bool accepted = false;
    int newest_tls = 0;
};
void PrintTo(const Trust& row, std::ostream* out) { *out << row.name; }

class Trusted : public TransportTest, public testing::WithParamInterface<Trust> {};

TEST_P(Trusted, OrRefused) {
    const KeyPair other = make_authority("other-authority");
    // Not self-signed: what stands between it and its root is not asked for.
    const KeyPair below = make_authority("authority-below-another", &other);
    const auto& row = GetParam();
    const KeyPair* signer = &authority;
    if (row.signer == Trust::Signer::Other) signer = &other;
    if (row.signer == Trust::Signer::Below) write("ca.crt", (signer = &below)->certificate);
    // The system's authorities do not count.
    ::setenv("SSL_CERT_FILE", write("system.crt", other.certificate).c_str(), 1);
    serve({make_certificate(row.certificate, signer), "", row.newest_tls}, accept);
    connect();
    const auto answer = transport->send(read_pods());
    const auto stream = transport->open(watch_pods());
    ::unsetenv("SSL_CERT_FILE");
    EXPECT_EQ(answer.has_value(), row.accepted) << (answer ? "" : answer.error().message);
    EXPECT_EQ(stream.has_value(), row.accepted);
    EXPECT_EQ(server->heard().empty(), !row.accepted) << "nothing is said to a server that is not trusted";
}

INSTANTIATE_TEST_SUITE_P(Rows, Trusted,
                         testing::Values(Trust{"Ours", {"server"}, Trust::Signer::Trusted, true},
                                         Trust{"OfAnAuthorityBelowAnother", {"server"}, Trust::Signer::Below, true},
                                         Trust{"OfAnotherAuthority", {"server"}, Trust::Signer::Other},
                                         Trust{"OtherAddress", {"server", "IP:127.0.0.2"}},
                                         Trust{"OtherName", {"server", "DNS:example.org"}},
                                         Trust{"Expired", {"server", "IP:127.0.0.1", false, 0}},
                                         Trust{"Tls12", {"server"}, Trust::Signer::Trusted, true, TLS1_2_VERSION},
                                         Trust{"Tls11", {"server"}, Trust::Signer::Trusted, false, TLS1_1_VERSION}),
                         [](const auto& row) { return row.param.name; });

// So that the row Tls11 is refused by us, and not by a server that cannot speak it.
TEST_F(TransportTest, TheServerOfTheTestSpeaksTls11) {
    namespace asio = boost::asio;
    serve({server_certificate, "", TLS1_1_VERSION}, accept);
    asio::io_context io;
    asio::ssl::context context(asio::ssl::context::tls_client);
    SSL_CTX_set_security_level(context.native_handle(), 0);
    SSL_CTX_set_min_proto_version(context.native_handle(), 0);
    asio::ssl::stream<asio::ip::tcp::socket> stream(io, context);
    stream.next_layer().connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(server->port())});
    EXPECT_NO_THROW(stream.handshake(asio::ssl::stream_base::client));
    EXPECT_STREQ(SSL_get_version(stream.native_handle()), "TLSv1.1");
}

TEST_F(TransportTest, TheServerByItsName) {
    serve(accept);
    access.server = "https://localhost:" + std::to_string(server->port());
    connect();
    const auto answer = transport->send(read_pods());
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
}

TEST_F(TransportTest, AnAddressOfIPv6IsRefusedWithItsMend) {
    auto who = std::make_shared<cluster::Credentials>(access, [this] { return now.load(); });
    const auto made = cluster::CpprestTransport::connect("https://[fd00::1]:6443", std::move(who), "evaljob-test");
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message, HasSubstr("https://[fd00::1]:6443: "));
    EXPECT_THAT(made.error().message, HasSubstr("host name"));
}

TEST(Access, OfAPodInAClusterOfIPv6IsByName) {
    ::setenv("KUBECONFIG", "", 1);
    ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    ::setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    const auto access = cluster::find_access("", "");
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ASSERT_TRUE(access.has_value()) << access.error().message;
    EXPECT_EQ(access->server, "https://kubernetes.default.svc:443");
}

class Rotated : public TransportTest {
protected:
    static constexpr UnixSeconds until_files_are_read_again = 10;
};

TEST_F(Rotated, TheServersAuthority) {
    serve(accept);
    connect();
    EXPECT_TRUE(transport->send(read_pods()).has_value());
    const KeyPair next = make_authority("next-authority");
    // First both are trusted, then the server changes, then the old one goes: nothing fails.
    write("ca.crt", authority.certificate + next.certificate);
    now += until_files_are_read_again;
    EXPECT_TRUE(transport->send(read_pods()).has_value());
    const std::string address = access.server;
    serve({make_certificate({"server"}, &next)}, accept);
    connect();
    EXPECT_TRUE(transport->send(read_pods()).has_value());
    write("ca.crt", next.certificate);
    now += until_files_are_read_again;
    EXPECT_TRUE(transport->send(read_pods()).has_value());
}

TEST_F(Rotated, AllAtOnceFailsUntilTheFilesAreRead) {
    const KeyPair next = make_authority("next-authority");
    serve({make_certificate({"server"}, &next)}, accept);
    connect();
    EXPECT_FALSE(transport->send(read_pods()).has_value());
    write("ca.crt", next.certificate);
    now += until_files_are_read_again;
    EXPECT_TRUE(transport->send(read_pods()).has_value());
}

TEST_F(Rotated, OurOwnCertificateWhileAWatchIsOpen) {
    const KeyPair first = make_certificate({"first-client", ""}, &authority);
    const KeyPair second = make_certificate({"second-client", ""}, &authority);
    access.client_certificate.file = write("client.crt", first.certificate);
    access.client_key.file = write("client.key", first.key);
    serve({server_certificate, authority.certificate}, [](Conversation& to, const Heard& request) {
        if (request.target.find("watch=true") == std::string::npos) return to.reply(200, "{}");
        to.begin_chunks();
        to.chunk("\n");
        to.await_close();
    });
    connect();
    auto watch = transport->open(watch_pods());
    ASSERT_TRUE(watch.has_value()) << watch.error().message;
    ASSERT_TRUE((*watch)->read().has_value());
    EXPECT_TRUE(transport->send(read_pods()).has_value());

    write("client.crt", second.certificate);
    now += until_files_are_read_again;
    EXPECT_TRUE(transport->send(read_pods()).has_value()) << "a half-written pair is not used yet";
    EXPECT_EQ(server->heard().back().client, "first-client");

    write("client.key", second.key);
    now += until_files_are_read_again;
    EXPECT_TRUE(transport->send(read_pods()).has_value());
    EXPECT_EQ(server->heard().back().client, "second-client") << "kept connections have the old identity";
    while ((*watch)->read().has_value()) {
    }
    watch = transport->open(watch_pods());
    EXPECT_TRUE(watch.has_value());
    EXPECT_EQ(server->heard().back().client, "second-client");
}

TEST_F(TransportTest, CertificatesThatCannotBeUsedAreNamed) {
    struct Row {
        const char* file;
        const char* said;
    };
    for (const Row& row : {Row{"ca.crt", "authority"}, Row{"client.crt", "client's certificate"}}) {
        access.server = "https://127.0.0.1:1";
        access.client_certificate.file = write("client.crt", server_certificate.certificate);
        access.client_key.file = write("client.key", server_certificate.key);
        write("ca.crt", authority.certificate);
        write(row.file, "no PEM");
        auto who = std::make_shared<cluster::Credentials>(access, [this] { return now.load(); });
        const auto made = cluster::CpprestTransport::connect(access.server, std::move(who), "evaljob-test");
        ASSERT_FALSE(made.has_value()) << row.file;
        EXPECT_EQ(made.error().reason, "TlsFailed");
        EXPECT_THAT(made.error().message, HasSubstr(row.said));
    }
}

}  // namespace
}  // namespace evaljob::test
