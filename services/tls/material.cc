#include "tls/material.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::tls {
namespace {

// Of a bundle of CAs.
constexpr size_t kFileBytesMax = 4 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno != 0 ? errno : EIO)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  text.shrink_to_fit();  // it is kept for as long as the server runs
  if (text.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than ", kFileBytesMax));
  }
  return text;
}

absl::Status LoadOwn(const Files& files, Material* material) {
  absl::StatusOr<std::string> certificate_pem = ReadFile(files.certificate);
  if (!certificate_pem.ok()) return certificate_pem.status();
  absl::StatusOr<std::string> key_pem = ReadFile(files.key);
  if (!key_pem.ok()) return key_pem.status();
  const absl::StatusOr<std::vector<X509Certificate>> certificates =
      ReadCertificates(*certificate_pem);
  if (!certificates.ok()) return base::Annotate(certificates.status(), files.certificate);
  const absl::StatusOr<PrivateKey> key = ReadPrivateKey(*key_pem);
  if (!key.ok()) return base::Annotate(key.status(), files.key);
  X509* const own = certificates->front().get();
  const bool match = X509_check_private_key(own, key->get()) == 1;
  TakeError();
  if (!match) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.key, " is not the key of the certificate ", "in ", files.certificate));
  }
  material->certificate_pem = *std::move(certificate_pem);
  material->key_pem = *std::move(key_pem);
  material->own = Describe(own);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Material> Load(const Files& files) {
  CHECK(files.certificate.empty() == files.key.empty());
  Material material;
  if (!files.certificate.empty()) PANDO_RETURN_IF_ERROR(LoadOwn(files, &material));
  if (!files.ca.empty()) {
    absl::StatusOr<std::string> ca_pem = ReadFile(files.ca);
    if (!ca_pem.ok()) return ca_pem.status();
    PANDO_RETURN_IF_ERROR(base::Annotate(ReadTrust(*ca_pem).status(), files.ca));
    material.ca_pem = *std::move(ca_pem);
  }
  return material;
}

void Use(const Material& material, SSL* connection) {
  if (!material.certificate_pem.empty()) {
    const auto certificates = ReadCertificates(material.certificate_pem);
    const auto key = ReadPrivateKey(material.key_pem);
    CHECK(certificates.ok());
    CHECK(key.ok());
    CHECK(SSL_use_certificate(connection, certificates->front().get()) == 1);
    CHECK(SSL_use_PrivateKey(connection, key->get()) == 1);
    CHECK(SSL_clear_chain_certs(connection) == 1);
    for (size_t i = 1; i < certificates->size(); ++i) {
      CHECK(SSL_add1_chain_cert(connection, (*certificates)[i].get()) == 1);
    }
  }
  if (!material.ca_pem.empty()) {
    const auto trust = ReadTrust(material.ca_pem);
    CHECK(trust.ok());
    CHECK(SSL_set1_verify_cert_store(connection, trust->get()) == 1);
  }
}

}  // namespace pando::tls
