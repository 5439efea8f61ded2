// Engine OpenAI and its server as a whole: how it comes up, goes away, and is trusted.
#include "tests/unit/engine/openai_fixture.hpp"

#include <cstdlib>

#include "tests/unit/cluster/certificates.hpp"

namespace evaljob::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Starting : public OpenAiTest {
protected:
    void list_models(Conversation& conversation) override {
        if (looks_++ < unready_) return conversation.reply(503, R"({"error":{"message":"Loading model"}})");
        conversation.reply(status_, listed_);
    }
    std::atomic<int> looks_ = 0;
    int unready_ = 0;
    int status_ = 200;
    std::string listed_ = models;
};

TEST_F(Starting, IsWaitedFor) {
    unready_ = 3;
    EXPECT_THAT(outcomes({"a"}), ElementsAre("answer to a"));
    EXPECT_EQ(looks_, 4);
    EXPECT_THAT(waited_for_,
                ElementsAre(AllOf(HasSubstr(eval_.model.url), HasSubstr("it answered 503: Loading model")), ""));
}

TEST_F(Starting, NeedsNoListOfModels) {
    unready_ = 1;
    status_ = 404;
    EXPECT_THAT(outcomes({"a"}), ElementsAre("answer to a"));
    status_ = 200;
    listed_ = R"([{"id":"tiny"}])";
    EXPECT_THAT(outcomes({"a"}), ElementsAre("answer to a"));
}

TEST_F(Starting, TakesNoLongerThanItMay) {
    unready_ = 1'000'000;
    eval_.inference.startup_timeout_seconds = 1;
    EXPECT_THAT(outcomes({"a"}),
                ElementsAre(AllOf(HasSubstr("NotReady: spec.eval.model.url: "),
                                  HasSubstr("was not ready within 1 s: it answered 503: Loading model"))));
}

TEST_F(Starting, WithAnotherModelSaysWhichThereAre) {
    listed_ = R"({"data":[{"id":"big"}]})";
    EXPECT_THAT(outcomes({"a"}), ElementsAre(AllOf(HasSubstr("BadInput: spec.eval.model.name: "),
                                                   HasSubstr("has no model tiny; it has: big"))));
}

TEST_F(Starting, AKeyInTheListOfModelsEndsInNoMessage) {
    eval_.model.api_key_variable = "KEY";
    environment_["KEY"] = "0123456789ab";
    listed_ = R"({"data":[{"id":"big of 0123456789ab"}]})";
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("has no model tiny; it has: big of [key]")));
}

TEST_F(Starting, OfAnotherKindOfServerIsSaidAtOnce) {
    listed_ = "<html>It works!</html>";
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("BadInput: spec.eval.model.url: ")));
    eval_.model.url = server_->url() + "/v2";
    EXPECT_THAT(outcomes({"a"}),
                ElementsAre(HasSubstr("answered 404: what?; does the url end as the server wants it")));
}

TEST_F(OpenAiTest, NobodyThereIsSaidAfterTheWait) {
    server_.reset();
    eval_.inference.startup_timeout_seconds = 1;
    EXPECT_THAT(outcomes({"a"}), ElementsAre(AllOf(HasSubstr("NotReady: "),
                                                   HasSubstr("within 1 s: Connection refused; is it started"))));
}

TEST_F(OpenAiTest, AServerThatIsAwayForAWhileCostsNothing) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    (*engine)->begin(batch(1, {"a"}));
    ASSERT_EQ(texts_of((*engine)->next()), std::vector<std::string>{"answer to a"});
    const int port = server_->port();
    server_.reset();
    (*engine)->begin(batch(2, std::vector<std::string>(20, "b")));
    listen({.port = port});
    EXPECT_THAT(texts_of((*engine)->next()), AllOf(SizeIs(20), Each("answer to b")));
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(waited_for_.back(), "") << "nothing is waited for any more";
}

TEST_F(OpenAiTest, AServerThatStaysAwayEndsTheEngine) {
    eval_.inference.startup_timeout_seconds = 1;
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    server_.reset();
    (*engine)->begin(batch(1, {"a", "b"}));
    EXPECT_THAT(texts_of((*engine)->next()),
                ElementsAre(AllOf(HasSubstr("ServerFailed: "), HasSubstr("has answered nothing for 1 s"),
                                  HasSubstr("Connection refused"))));
}

// TLS

class Tls : public OpenAiTest {
protected:
    Tls() : authority_(make_authority("authority")) { folder_.write("authority.pem", authority_.certificate); }
    ~Tls() override { ::unsetenv("SSL_CERT_FILE"); }

    void listen_as(const CertificateOptions& certificate) {
        listen({.certificate = make_certificate(certificate, &authority_)}, false);
    }
    void trust() const { ::setenv("SSL_CERT_FILE", (folder_ / "authority.pem").c_str(), 1); }

    KeyPair authority_;
};

TEST_F(Tls, AServerOfATrustedAuthorityIsSpokenWith) {
    trust();
    listen_as({"server"});
    EXPECT_THAT(outcomes({"a", "b"}), ElementsAre("answer to a", "answer to b"));
}

TEST_F(Tls, AServerOfAnUnknownAuthorityIsNot) {
    listen_as({"server"});
    EXPECT_THAT(outcomes({"a"}),
                ElementsAre(AllOf(HasSubstr("BadInput: spec.eval.model.url: https://127.0.0.1"),
                                  HasSubstr("certificate verify failed"), HasSubstr("SSL_CERT_FILE"))));
    EXPECT_THAT(server_->heard(), SizeIs(0));
}

TEST_F(Tls, AServerOfAnotherNameIsNot) {
    trust();
    listen_as({"server", "DNS:elsewhere.example"});
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("certificate verify failed")));
}

TEST_F(Tls, AnExpiredCertificateIsNotTaken) {
    trust();
    listen_as({.name = "server", .days = 0});
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("certificate verify failed")));
}

TEST_F(Tls, HttpIsNoHttps) {
    listen();
    eval_.model.url = "https" + eval_.model.url.substr(4);
    eval_.inference.startup_timeout_seconds = 1;
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("spec.eval.model.url: https://")));
}

}  // namespace
}  // namespace evaljob::test
