// Credentials: who somebody is to a server, SCHEME:CREDENTIAL each.
#ifndef PANDO_CLIENTS_CLI_CREDENTIALS_H_
#define PANDO_CLIENTS_CLI_CREDENTIALS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pando::cli {

// Those of a file, a line each; blank ones count for nothing.
absl::StatusOr<std::vector<std::string>> ReadCredentials(const std::string& file);

// "" if it has the form of one, else what is wrong: a check of an option.
std::string CheckCredential(const std::string& text);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CREDENTIALS_H_
