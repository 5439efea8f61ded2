#include "operator/cluster/credentials.hpp"

#include <spdlog/spdlog.h>

#include <limits>

#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "operator/cluster/exec_plugin.hpp"
#include "operator/cluster/read_file.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::cluster {
namespace {

constexpr UnixSeconds token_file_seconds = 60;
constexpr UnixSeconds leeway_seconds = 10;
constexpr UnixSeconds tls_seconds = 10;
constexpr UnixSeconds for_ever = std::numeric_limits<UnixSeconds>::max();

std::string trimmed(std::string text) {
    const auto last = text.find_last_not_of(" \r\n\t");
    text.resize(last == std::string::npos ? 0 : last + 1);
    return text;
}

Result<std::string> text_of(const kube::PemSource& source) {
    if (source.file.empty() || !source.text.empty()) return source.text;
    return read_file(source.file);
}

}  // namespace

Credentials::Credentials(kube::ClusterAccess access, Clock clock)
    : access_(std::move(access)), clock_(std::move(clock)) {}

Result<std::string> Credentials::token() {
    const std::lock_guard lock(mutex_);
    if (token_ && clock_() < token_->until) return token_->token;
    auto fresh = fetch_token();
    if (fresh) {
        token_ = std::move(*fresh);
    } else if (token_) {
        spdlog::warn("{}; going on with the last token", fresh.error().message);
        token_->until = clock_() + leeway_seconds;
    } else {
        return tl::unexpected(fresh.error());
    }
    return token_->token;
}

void Credentials::refused(const std::string& token) {
    const std::lock_guard lock(mutex_);
    if (token_ && token_->token == token) token_->until = 0;
}

Result<Credentials::Dated> Credentials::fetch_token() {
    if (access_.exec) return run_plugin();
    if (access_.token_file.empty()) return Dated{access_.token, for_ever};
    auto token = read_file(access_.token_file);
    if (!token) return tl::unexpected(token.error());
    return Dated{trimmed(std::move(*token)), clock_() + token_file_seconds};
}

Result<Credentials::Dated> Credentials::run_plugin() {
    const auto printed = run_exec_plugin(*access_.exec);
    if (!printed) return tl::unexpected(printed.error());
    const Json credential = parse_json(*printed);
    const Json& status = member(credential, "status");
    Dated dated{evaljob::text_of(status, "token"), for_ever};
    of_plugin_.certificate = evaljob::text_of(status, "clientCertificateData");
    of_plugin_.key = evaljob::text_of(status, "clientKeyData");
    if (dated.token.empty() && of_plugin_.certificate.empty())
        return fail("ExecFailed", access_.exec->command + ": printed neither status.token nor a client certificate");
    tls_until_ = 0;
    const std::string expires = evaljob::text_of(status, "expirationTimestamp");
    if (!expires.empty()) dated.until = from_rfc3339(expires) - leeway_seconds;
    return dated;
}

Result<TlsFiles> Credentials::tls() {
    const std::lock_guard lock(mutex_);
    if (tls_ && clock_() < tls_until_) return *tls_;
    auto fresh = read_tls();
    tls_until_ = clock_() + tls_seconds;
    if (fresh) {
        tls_ = std::move(*fresh);
    } else if (tls_) {
        spdlog::warn("{}; going on with the last certificates", fresh.error().message);
    } else {
        return fresh;
    }
    return *tls_;
}

Result<TlsFiles> Credentials::read_tls() const {
    auto ca = text_of(access_.ca);
    if (!ca) return tl::unexpected(ca.error());
    if (!of_plugin_.certificate.empty()) return TlsFiles{*ca, of_plugin_.certificate, of_plugin_.key};
    auto certificate = text_of(access_.client_certificate);
    if (!certificate) return tl::unexpected(certificate.error());
    auto key = text_of(access_.client_key);
    if (!key) return tl::unexpected(key.error());
    return TlsFiles{std::move(*ca), std::move(*certificate), std::move(*key)};
}

}  // namespace evaljob::cluster
