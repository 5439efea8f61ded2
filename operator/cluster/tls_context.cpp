#include "operator/cluster/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace evaljob::cluster {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

[[noreturn]] void refuse(const std::string& what) {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* why = code ? ERR_reason_error_string(code) : nullptr;
    throw std::runtime_error(what + (why ? std::string(": ") + why : ""));
}

void trust_only(SSL_CTX* context, const std::string& pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    X509_STORE* store = X509_STORE_new();
    SSL_CTX_set_cert_store(context, store);                  // which owns it from now on
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);  // an authority below another is enough, as for kubectl
    int count = 0;
    while (const Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free}) {
        if (X509_STORE_add_cert(store, one.get()) != 1) refuse("the cluster's certificate authority");
        ++count;
    }
    ERR_clear_error();  // the end of the text counts as one
    if (count == 0) refuse("the cluster's certificate authority holds no certificate in PEM");
}

}  // namespace

void restrict_tls(boost::asio::ssl::context& context, const TlsFiles& tls) {
    SSL_CTX* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    if (!tls.ca.empty()) trust_only(native, tls.ca);
    if (tls.certificate.empty()) return;
    boost::system::error_code error;
    context.use_certificate_chain(boost::asio::buffer(tls.certificate), error);
    if (error) throw std::runtime_error("the client's certificate: " + error.message());
    context.use_private_key(boost::asio::buffer(tls.key), boost::asio::ssl::context::pem, error);
    if (error) throw std::runtime_error("the client's key: " + error.message());
}

Result<void> check_tls(const TlsFiles& tls) {
    try {
        boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
        restrict_tls(context, tls);
        return {};
    } catch (const std::exception& error) {
        return fail("TlsFailed", error.what());
    }
}

}  // namespace evaljob::cluster
