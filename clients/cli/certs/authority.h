// Authority: a CA for a try-out, and the certificates that it signs. EC P-256 keys.
#ifndef PANDO_CLIENTS_CLI_CERTS_AUTHORITY_H_
#define PANDO_CLIENTS_CLI_CERTS_AUTHORITY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tls/openssl.h"

namespace pando::cli {

struct PemPair {
  std::string certificate;
  std::string key;
};

class Authority {
 public:
  static Authority Make(int days);
  // INVALID_ARGUMENT: these are not a CA's certificate and its key.
  static absl::StatusOr<Authority> Read(const PemPair& pem);

  // Of a server, good for a client too: servers call one another. `hosts` are DNS names and IP
  // addresses.
  PemPair SignServer(const std::string& name, const std::vector<std::string>& hosts, int days);
  PemPair SignClient(const std::string& name, int days);
  PemPair Pem() const;

 private:
  Authority(tls::X509Certificate certificate, tls::PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  tls::X509Certificate certificate_;
  tls::PrivateKey key_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CERTS_AUTHORITY_H_
