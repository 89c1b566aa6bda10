// Certificate: what a certificate says, and whether it is to be believed.
#ifndef PANDO_TLS_CERTIFICATE_H_
#define PANDO_TLS_CERTIFICATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "tls/openssl.h"

namespace pando::tls {

struct Certificate {
  std::string subject;             // RFC 2253
  std::string issuer;              // likewise
  std::vector<std::string> names;  // its subject alternative names: DNS names and IP addresses
  base::WallTime begins;
  base::WallTime ends;
};

Certificate Describe(const X509* certificate);
// The first certificate of a PEM text.
absl::StatusOr<Certificate> DescribeFirst(std::string_view pem);

// "2026-05-01T09:30:00Z"
std::string TimeText(base::WallTime time);

// Whether OpenSSL's X509_V_ERR_… says that nobody who is trusted has signed it.
bool IsOfUnknownIssuer(long verify_error);

// Whether the first certificate of `pem` is one of `host`, a DNS name or an IP address. Only its
// subject alternative names count, and a wildcard stands for one label.
bool IsFor(std::string_view pem, const std::string& host);

// OK: the first certificate of `leaf`, a PEM text, leads to one of `trust` over those of `others`,
// and all of that is valid at `now` and good for a TLS client. Else UNAUTHENTICATED: whose it is
// and why not. `others` is what the client has sent besides, and proves nothing by itself: anybody
// may send a CA's certificate.
absl::Status VerifyClient(std::string_view leaf, std::string_view others, X509_STORE* trust,
                          base::WallTime now);

}  // namespace pando::tls

#endif  // PANDO_TLS_CERTIFICATE_H_
