// ServerError: why a call, or one operation of a Pipeline, failed.
#ifndef PANDO_CLIENTS_CLI_SERVER_ERROR_H_
#define PANDO_CLIENTS_CLI_SERVER_ERROR_H_

#include <grpcpp/support/status.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "pando/v1/common.pb.h"

namespace pando::cli {

struct ServerError {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string reason;  // "NO_NODE"; empty: no server said this, the connection did
  std::string message;
  std::map<std::string, std::string> metadata;

  // The value of `key`, or "".
  std::string Metadata(const std::string& key) const;
};

// REQUIRES: !status.ok().
ServerError ErrorOf(const grpc::Status& status);
ServerError ErrorOf(const v1::OperationError& error);

enum class Verdict {
  kRefused,    // the answer: another try meets the same
  kElsewhere,  // the answer of this server; another one may do
  kTryAgain,   // nothing was applied, and another server or a later try may do
  kLost,       // no answer: a read is tried again, a write may have been applied
};
Verdict Judge(const ServerError& error);

// One line for a person: what is wrong, what to do, and the reason in brackets.
std::string Describe(const ServerError& error);

// For a failure that ends the command; `is_write` tells what a lost answer means.
absl::Status FinalStatus(const ServerError& error, bool is_write);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SERVER_ERROR_H_
