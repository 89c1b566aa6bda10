// Making errors: see pando/client/error.h for reading them.
#ifndef PANDO_CLIENTS_CPP_SRC_ERRORS_H_
#define PANDO_CLIENTS_CPP_SRC_ERRORS_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "pando/client/error.h"
#include "pando/v1/common.pb.h"

namespace pando::client {

using Metadata = std::map<std::string, std::string>;

absl::Status MakeError(Reason reason, absl::StatusCode code, const std::string& message,
                       const Metadata& metadata = {});

absl::Status NoServer(const std::string& message);
absl::Status Lost(const std::string& message);
absl::Status Closed();
// `last`: what the last try said; OK: nothing.
absl::Status TimedOut(std::chrono::milliseconds timeout, const absl::Status& last = {});

// Of one operation of a Pipeline.
absl::Status OperationFailure(const v1::OperationError& error);
// Of a call: the server's words, or that there are none. REQUIRES: !status.ok().
absl::Status CallFailure(const grpc::Status& status);

// The same error of a write that a server may have.
absl::Status WithMaybeApplied(const absl::Status& error);

// No other server would say anything else.
bool IsFinal(const absl::Status& error);

// "1500 ms".
std::string Text(std::chrono::milliseconds duration);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_ERRORS_H_
