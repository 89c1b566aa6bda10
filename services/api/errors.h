// Errors: the one table from Reason to what a client sees. protos/pando/v1/common.proto describes
// the result; errors_test.cc compares the two.
#ifndef PANDO_API_ERRORS_H_
#define PANDO_API_ERRORS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "base/status.h"
#include "model/reply.h"
#include "pando/v1/common.pb.h"

namespace pando::api {

// REQUIRES: reason != kOk.
grpc::StatusCode CodeOf(model::Reason reason);
// Whether the same request may succeed later or on another server.
bool IsRetriable(model::Reason reason);

// How a call ends that got `reply`; OK if it succeeded. The details hold one ErrorInfo. Of a
// transaction that failed the reply's result says at which operation.
grpc::Status ToStatus(const model::Reply& reply);
grpc::Status ToStatus(const model::Error& error);

// The same for one operation of a Pipeline. REQUIRES: !reply.ok().
void ToProto(const model::Reply& reply, v1::OperationError* out);

// The end of a stream whose server is stopping; no reason, because the client did nothing wrong.
grpc::Status GoingAway();

model::Error InvalidArgument(std::string detail);

// Why a scan of the store broke off. REQUIRES: !status.ok().
model::Error ErrorOfScan(const absl::Status& status);

// Returns from the enclosing function if `expression` is a refusal.
#define PANDO_RETURN_IF_REFUSED(expression)                           \
  do {                                                                \
    if (model::Error pando_error = (expression); !pando_error.ok()) { \
      return pando_error;                                             \
    }                                                                 \
  } while (false)

}  // namespace pando::api

#endif  // PANDO_API_ERRORS_H_
