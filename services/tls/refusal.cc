#include "tls/refusal.h"

#include "absl/strings/str_cat.h"
#include "tls/certificate.h"

namespace pando::tls {

std::string WhatIsWrong(X509_STORE_CTX* context, const X509* leaf) {
  const X509* at = X509_STORE_CTX_get_current_cert(context);
  const Certificate certificate = Describe(at != nullptr ? at : leaf);
  const std::string whose = absl::StrCat("the certificate of \"", certificate.subject, "\"");
  const int error = X509_STORE_CTX_get_error(context);
  if (IsOfUnknownIssuer(error)) {
    return absl::StrCat(whose, " is signed by \"", certificate.issuer,
                        "\", which is none of the trusted CAs");
  }
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(whose, " has expired at ", TimeText(certificate.ends));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(whose, " is not valid before ", TimeText(certificate.begins));
    case X509_V_ERR_INVALID_PURPOSE:
      return absl::StrCat(whose, " is not for TLS clients (extended key usage)");
    default:
      return absl::StrCat(whose, ": ", X509_verify_cert_error_string(error));
  }
}

}  // namespace pando::tls
