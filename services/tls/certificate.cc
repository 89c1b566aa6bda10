#include "tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>

#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tls/refusal.h"

namespace pando::tls {
namespace {

using GeneralNames = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

base::WallTime TimeOf(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return {};
  return {int64_t{timegm(&tm)} * 1000};
}

std::string AddressText(const ASN1_OCTET_STRING* bytes) {
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

std::vector<std::string> NamesOf(const X509* certificate) {
  const GeneralNames all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      const ASN1_STRING* dns = name->d.dNSName;
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(dns)),
                         static_cast<size_t>(ASN1_STRING_length(dns)));
    } else if (name->type == GEN_IPADD) {
      names.push_back(AddressText(name->d.iPAddress));
    }
  }
  return names;
}

}  // namespace

std::string TimeText(base::WallTime time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &tm)};
}

bool IsOfUnknownIssuer(long verify_error) {
  switch (verify_error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return true;
    default:
      return false;
  }
}

Certificate Describe(const X509* certificate) {
  CHECK(certificate != nullptr);
  return {.subject = NameText(X509_get_subject_name(certificate)),
          .issuer = NameText(X509_get_issuer_name(certificate)),
          .names = NamesOf(certificate),
          .begins = TimeOf(X509_get0_notBefore(certificate)),
          .ends = TimeOf(X509_get0_notAfter(certificate))};
}

absl::StatusOr<Certificate> DescribeFirst(std::string_view pem) {
  const absl::StatusOr<std::vector<X509Certificate>> certificates = ReadCertificates(pem);
  if (!certificates.ok()) return certificates.status();
  return Describe(certificates->front().get());
}

bool IsFor(std::string_view pem, const std::string& host) {
  const absl::StatusOr<std::vector<X509Certificate>> certificates = ReadCertificates(pem);
  if (!certificates.ok() || host.empty()) return false;
  X509* const leaf = certificates->front().get();
  // 1 for a match, and an error is none.
  if (X509_check_ip_asc(leaf, host.c_str(), 0) == 1) return true;
  return X509_check_host(leaf, host.data(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                         nullptr) == 1;
}

absl::Status VerifyClient(std::string_view leaf_pem, std::string_view others_pem, X509_STORE* trust,
                          base::WallTime now) {
  const absl::StatusOr<std::vector<X509Certificate>> leaves = ReadCertificates(leaf_pem);
  if (!leaves.ok()) {
    return absl::UnauthenticatedError(absl::StrCat("its certificate: ", leaves.status().message()));
  }
  X509* const leaf = leaves->front().get();
  // What cannot be read leads nowhere.
  const absl::StatusOr<std::vector<X509Certificate>> others = ReadCertificates(others_pem);
  // Not the owner of what is in it.
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> untrusted(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (size_t i = 0; others.ok() && i < others->size(); ++i) {
    CHECK(sk_X509_push(untrusted.get(), (*others)[i].get()) > 0);
  }
  const StoreContext context(X509_STORE_CTX_new());
  CHECK(context != nullptr);
  CHECK(X509_STORE_CTX_init(context.get(), trust, leaf, untrusted.get()) == 1);
  CHECK(X509_STORE_CTX_set_default(context.get(), "ssl_client") == 1);
  X509_STORE_CTX_set_time(context.get(), 0, now.ms / 1000);
  const bool good = X509_verify_cert(context.get()) == 1;
  TakeError();
  if (good) return absl::OkStatus();
  return absl::UnauthenticatedError(WhatIsWrong(context.get(), leaf));
}

}  // namespace pando::tls
