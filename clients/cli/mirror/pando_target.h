// PandoTarget: a tree in Pando, as the target of a Mirror.
#ifndef PANDO_CLIENTS_CLI_MIRROR_PANDO_TARGET_H_
#define PANDO_CLIENTS_CLI_MIRROR_PANDO_TARGET_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/mirror/mirror.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

// The operation that does `write`, and that bears being done twice.
v1::PipelineOperation OperationOf(const Write& write);

// Why Pando cannot hold what is to be put, as far as it is known without asking; "" if it can.
// What no message can carry must not be sent: it would break the stream again and again.
std::string ObjectionTo(const Write& write);

// What is at `path` and below it, at one revision; nothing if there is no such node.
absl::StatusOr<Inventory> PandoInventory(Connection* connection, const std::string& path);

// Makes the parents of `path` that are missing.
absl::Status MakePandoParents(Connection* connection, const std::string& path);

// Does all that the mirror has to write; `meanwhile` goes on with the source. Whether there was
// anything.
absl::StatusOr<bool> WriteToPando(Connection* connection, Mirror* mirror,
                                  const std::function<absl::Status()>& meanwhile);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_PANDO_TARGET_H_
