// A folder of certificates for a try-out.
//
//   ca.crt ca.key          the CA
//   server.crt server.key  of all servers, and what they show one another
//   client.crt client.key  of a client; one pair for each that is named
#ifndef PANDO_CLIENTS_CLI_CERTS_CERTS_H_
#define PANDO_CLIENTS_CLI_CERTS_CERTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pando::cli {

struct CertsOptions {
  std::string dir;
  std::vector<std::string> hosts;    // of the servers, besides this machine's own
  std::vector<std::string> clients;  // their names; none: "client"
  int days = 365;
};

// INVALID_ARGUMENT: a name that cannot be one.
absl::Status CheckCertsOptions(const CertsOptions& options);

// Makes the folder if need be. A CA that is there is used again; the other files are made anew, so
// this also renews them. Keys are their owner's only.
absl::Status MakeCerts(const CertsOptions& options);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CERTS_CERTS_H_
