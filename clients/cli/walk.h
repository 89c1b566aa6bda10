// Walk: a subtree, node by node, all of one revision.
#ifndef PANDO_CLIENTS_CLI_WALK_H_
#define PANDO_CLIENTS_CLI_WALK_H_

#include <functional>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

// Gives each node to `take`, a node before its children; a failure of it ends the walk. A walk that
// breaks off after its first nodes is not begun again, because that would be another revision:
// UNAVAILABLE.
absl::Status Walk(Connection* connection, v1::WalkRequest request,
                  const std::function<absl::Status(const v1::WalkEntry&)>& take);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_WALK_H_
