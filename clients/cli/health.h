// The standard health check of gRPC servers (grpc.health.v1.Health).
#ifndef PANDO_CLIENTS_CLI_HEALTH_H_
#define PANDO_CLIENTS_CLI_HEALTH_H_

#include "absl/status/status.h"
#include "cli/connection.h"

namespace pando::cli {

// OK: the server that answers first says that it serves. FAILED_PRECONDITION: that it does not.
absl::Status CheckHealth(Connection* connection);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_HEALTH_H_
