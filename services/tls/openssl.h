// OpenSSL's objects as unique_ptrs, and its errors as text.
#ifndef PANDO_TLS_OPENSSL_H_
#define PANDO_TLS_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pando::tls {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using X509Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

// Reads `text`, which outlives it.
Bio ReadFrom(std::string_view text);

// All certificates of a PEM text, in its order; other things in it are passed over. An error if
// one cannot be read, or there is none.
absl::StatusOr<std::vector<X509Certificate>> ReadCertificates(std::string_view pem);
// The first private key of a PEM text. Never asks anybody for a passphrase.
absl::StatusOr<PrivateKey> ReadPrivateKey(std::string_view pem);
// Trusts what is in `pem`, whether or not it signs itself.
absl::StatusOr<X509Store> ReadTrust(std::string_view pem);

// As RFC 2253 writes a name, and Java's X500Principal and so ZooKeeper: "CN=alice,O=Example".
std::string NameText(const X509_NAME* name);

// Takes all errors that this thread has, and returns what the oldest says; "" if there are none.
std::string TakeError();

}  // namespace pando::tls

#endif  // PANDO_TLS_OPENSSL_H_
