#include "tls/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::tls {
namespace {

// Instead of OpenSSL's own, which asks whoever sits at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string TakeError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return {};
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : absl::StrCat("OpenSSL error ", code);
}

Bio ReadFrom(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr);
  return bio;
}

absl::StatusOr<std::vector<X509Certificate>> ReadCertificates(std::string_view pem) {
  ERR_clear_error();
  const Bio bio = ReadFrom(pem);
  std::vector<X509Certificate> certificates;
  while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr)) {
    certificates.emplace_back(read);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string error = TakeError();
  if (!at_end) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate ", certificates.size() + 1, " in it cannot be read: ", error));
  }
  if (certificates.empty()) return absl::InvalidArgumentError("no PEM certificate is in it");
  return certificates;
}

absl::StatusOr<PrivateKey> ReadPrivateKey(std::string_view pem) {
  ERR_clear_error();
  const Bio bio = ReadFrom(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr));
  const std::string error = TakeError();
  if (key != nullptr) return key;
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    return absl::InvalidArgumentError("no PEM private key is in it");
  }
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return absl::InvalidArgumentError("it wants a passphrase: give a key without one");
  }
  return absl::InvalidArgumentError(absl::StrCat("the private key cannot be read: ", error));
}

absl::StatusOr<X509Store> ReadTrust(std::string_view pem) {
  const absl::StatusOr<std::vector<X509Certificate>> trusted = ReadCertificates(pem);
  if (!trusted.ok()) return trusted.status();
  X509Store store(X509_STORE_new());
  CHECK(store != nullptr);
  for (const X509Certificate& certificate : *trusted) {
    CHECK(X509_STORE_add_cert(store.get(), certificate.get()) == 1);
  }
  // An issuing CA that was given without its own issuer is trusted, as in Go and gRPC.
  CHECK(X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) == 1);
  return store;
}

std::string NameText(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  // Letters beyond ASCII as they are, which is what RFC 2253 says and its flag set does not do.
  const unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(bio.get(), name, 0, flags);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

}  // namespace pando::tls
