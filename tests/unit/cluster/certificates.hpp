// Certificates made on the spot, for servers that tests talk to.
#pragma once

#include <memory>
#include <string>

namespace evaljob::test {

struct KeyPair {
    std::string certificate;  // PEM
    std::string key;
};

struct CertificateOptions {
    std::string name;
    std::string alternative = "IP:127.0.0.1,DNS:localhost";  // subjectAltName
    bool authority = false;
    int days = 2;  // from yesterday on; 0: expired
};

/// Signed by `issuer`, or by itself. Throws std::runtime_error.
KeyPair make_certificate(const CertificateOptions& options, const KeyPair* issuer = nullptr);

inline KeyPair make_authority(const std::string& name, const KeyPair* issuer = nullptr) {
    return make_certificate({name, "", true}, issuer);
}

}  // namespace evaljob::test
