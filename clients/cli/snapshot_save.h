// SaveSnapshot: a backup of the ensemble, into a file or to the standard output.
#ifndef PANDO_CLIENTS_CLI_SNAPSHOT_SAVE_H_
#define PANDO_CLIENTS_CLI_SNAPSHOT_SAVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/progress.h"
#include "cli/snapshot_check.h"

namespace pando::cli {

enum class SaveFrom {
  kEnsemble,   // all that was acknowledged when it was asked is in it
  kOneServer,  // as far as whoever is asked is; also without a leader
};

// Verifies all that comes. `path` then holds the whole backup, synced, or what it held before; "-"
// is the standard output, which may have got a part when it fails. INT and TERM end it.
// REQUIRES: called before any other thread is started.
absl::StatusOr<SnapshotFacts> SaveSnapshot(Connection* connection, SaveFrom from,
                                           const std::string& path, Progress* progress);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SNAPSHOT_SAVE_H_
