#include "cli/certs/authority.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"

namespace pando::cli {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, tls::Freed<X509_EXTENSION_free>>;

constexpr long kVersion3 = 2;
// A clock that is a little behind must not find a new certificate too young.
constexpr long kBackdateSeconds = 5 * 60;

tls::PrivateKey NewKey() {
  tls::PrivateKey key(EVP_EC_gen("P-256"));
  CHECK(key != nullptr);
  return key;
}

void SetSerial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  bytes[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, tls::Freed<BN_free>> number(
      BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void AddName(X509* certificate, const std::string& name) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  for (const auto& [field, value] : {std::pair<const char*, std::string>("O", "Pando try-out"),
                                     std::pair<const char*, std::string>("CN", name)}) {
    CHECK(X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(value.data()),
                                     static_cast<int>(value.size()), -1, 0) == 1);
  }
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

tls::X509Certificate NewCertificate(const std::string& name, EVP_PKEY* key, int days) {
  tls::X509Certificate certificate(X509_new());
  CHECK(certificate != nullptr);
  CHECK(X509_set_version(certificate.get(), kVersion3) == 1);
  SetSerial(certificate.get());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kBackdateSeconds);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, nullptr);
  AddName(certificate.get(), name);
  CHECK(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

template <class Write>
std::string PemOf(const Write& write) {
  const tls::Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  CHECK(write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

PemPair PemPairOf(X509* certificate, EVP_PKEY* key) {
  return {PemOf([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }),
          PemOf([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

PemPair Sign(const std::string& name, const std::string& usage,
             const std::vector<std::string>& hosts, int days, X509* issuer, EVP_PKEY* issuer_key) {
  const tls::PrivateKey key = NewKey();
  const tls::X509Certificate certificate = NewCertificate(name, key.get(), days);
  X509* const c = certificate.get();
  CHECK(X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1);
  AddExtension(c, issuer, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(c, issuer, NID_key_usage, "critical,digitalSignature");
  AddExtension(c, issuer, NID_ext_key_usage, usage);
  AddExtension(c, issuer, NID_subject_key_identifier, "hash");
  AddExtension(c, issuer, NID_authority_key_identifier, "keyid:always");
  if (!hosts.empty()) {
    const std::string names = absl::StrJoin(hosts, ",", [](std::string* out, const auto& host) {
      std::array<unsigned char, 16> address{};
      const bool is_address = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                              inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
      absl::StrAppend(out, is_address ? "IP:" : "DNS:", host);
    });
    AddExtension(c, issuer, NID_subject_alt_name, names);
  }
  CHECK(X509_sign(c, issuer_key, EVP_sha256()) > 0);
  return PemPairOf(c, key.get());
}

}  // namespace

Authority Authority::Make(int days) {
  tls::PrivateKey key = NewKey();
  tls::X509Certificate certificate = NewCertificate("Pando try-out CA", key.get(), days);
  X509* const c = certificate.get();
  CHECK(X509_set_issuer_name(c, X509_get_subject_name(c)) == 1);
  AddExtension(c, c, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(c, c, NID_subject_key_identifier, "hash");
  CHECK(X509_sign(c, key.get(), EVP_sha256()) > 0);
  return {std::move(certificate), std::move(key)};
}

absl::StatusOr<Authority> Authority::Read(const PemPair& pem) {
  absl::StatusOr<std::vector<tls::X509Certificate>> certificates =
      tls::ReadCertificates(pem.certificate);
  if (!certificates.ok()) return certificates.status();
  absl::StatusOr<tls::PrivateKey> key = tls::ReadPrivateKey(pem.key);
  if (!key.ok()) return key.status();
  X509* const own = certificates->front().get();
  const bool good = X509_check_ca(own) == 1 && X509_check_private_key(own, key->get()) == 1;
  tls::TakeError();
  if (!good) return absl::InvalidArgumentError("is no CA's certificate with its key");
  return Authority(std::move(certificates->front()), *std::move(key));
}

PemPair Authority::SignServer(const std::string& name, const std::vector<std::string>& hosts,
                              int days) {
  return Sign(name, "serverAuth,clientAuth", hosts, days, certificate_.get(), key_.get());
}

PemPair Authority::SignClient(const std::string& name, int days) {
  return Sign(name, "clientAuth", {}, days, certificate_.get(), key_.get());
}

PemPair Authority::Pem() const { return PemPairOf(certificate_.get(), key_.get()); }

}  // namespace pando::cli
