// State: one state-N of a data dir: the tree and the changes that led to it.
#ifndef PANDO_STORE_STATE_H_
#define PANDO_STORE_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "io/store.h"
#include "store/change_log.h"
#include "store/tree_db.h"

namespace pando::store {

struct StateOptions {
  TreeDbOptions tree;
  ChangeLogOptions changes;
};

struct State {
  std::unique_ptr<TreeDb> tree;
  std::unique_ptr<ChangeLog> changes;
};

// A state without records in the new folder `dir`, synced but for the folder's own name. Its change
// log begins after `after`: the revision that the tree will be built at, 0 for an empty one.
[[nodiscard]] absl::StatusOr<State> CreateState(io::Disk* disk, const std::string& dir,
                                                model::Revision after, const StateOptions& options);
// DATA_LOSS: damaged; the message names the file.
[[nodiscard]] absl::StatusOr<State> OpenState(io::Disk* disk, const std::string& dir,
                                              const StateOptions& options);

// Brings the state to the last revision of `window`, synced: first the changes, so that the change
// log never ends below the tree. RESOURCE_EXHAUSTED: the disk is full; call again with the same
// window. Any other error: stop the process.
[[nodiscard]] absl::Status StoreWindow(const State& state,
                                       const std::vector<io::StoreWrite>& window);

}  // namespace pando::store

#endif  // PANDO_STORE_STATE_H_
