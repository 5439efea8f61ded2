#include "tests/unit/cluster/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace evaljob::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long a_day = 24L * 60 * 60;

void require(bool worked) {
    if (!worked) throw std::runtime_error("OpenSSL makes no certificate");
}

std::string text_of(const Bio& bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

Bio memory() { return {BIO_new(BIO_s_mem()), BIO_free}; }
Bio memory(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free}; }

Key key_of(const KeyPair& pair) {
    return {PEM_read_bio_PrivateKey(memory(pair.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

Certificate certificate_of(const KeyPair& pair) {
    return {PEM_read_bio_X509(memory(pair.certificate).get(), nullptr, nullptr, nullptr), X509_free};
}

void extend(X509* certificate, int nid, const std::string& value) {
    if (value.empty()) return;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    require(extension && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

}  // namespace

KeyPair make_certificate(const CertificateOptions& options, const KeyPair* issuer) {
    static std::atomic<long> serial{1};
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const Certificate made(X509_new(), X509_free);
    require(key && made);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * a_day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), (options.days - 1) * a_day);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1, 0);
    const Certificate signer = issuer ? certificate_of(*issuer) : Certificate(nullptr, X509_free);
    X509_set_issuer_name(made.get(), X509_get_subject_name(signer ? signer.get() : made.get()));
    extend(made.get(), NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(made.get(), NID_subject_alt_name, options.alternative);
    const Key signing = issuer ? key_of(*issuer) : Key(nullptr, EVP_PKEY_free);
    require(X509_sign(made.get(), signing ? signing.get() : key.get(), EVP_sha256()) > 0);

    const Bio certificate_text = memory();
    const Bio key_text = memory();
    require(PEM_write_bio_X509(certificate_text.get(), made.get()) == 1);
    require(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return {text_of(certificate_text), text_of(key_text)};
}

}  // namespace evaljob::test
