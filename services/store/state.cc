#include "store/state.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::store {
namespace {

std::string TreeDir(const std::string& dir) { return absl::StrCat(dir, "/tree"); }
std::string ChangesDir(const std::string& dir) { return absl::StrCat(dir, "/changes"); }

}  // namespace

absl::StatusOr<State> CreateState(io::Disk* disk, const std::string& dir, model::Revision after,
                                  const StateOptions& options) {
  absl::StatusOr<std::unique_ptr<TreeDb>> tree = TreeDb::Create(disk, TreeDir(dir), options.tree);
  if (!tree.ok()) return tree.status();
  absl::StatusOr<std::unique_ptr<ChangeLog>> changes =
      ChangeLog::Create(disk, ChangesDir(dir), after, options.changes);
  if (!changes.ok()) return changes.status();
  PANDO_RETURN_IF_ERROR(disk->SyncDir(dir));
  return State{*std::move(tree), *std::move(changes)};
}

absl::StatusOr<State> OpenState(io::Disk* disk, const std::string& dir,
                                const StateOptions& options) {
  absl::StatusOr<std::unique_ptr<TreeDb>> tree = TreeDb::Open(disk, TreeDir(dir), options.tree);
  if (!tree.ok()) return tree.status();
  absl::StatusOr<std::unique_ptr<ChangeLog>> changes =
      ChangeLog::Open(disk, ChangesDir(dir), (*tree)->mark().revision, options.changes);
  if (!changes.ok()) return changes.status();
  return State{*std::move(tree), *std::move(changes)};
}

absl::Status StoreWindow(const State& state, const std::vector<io::StoreWrite>& window) {
  PANDO_RETURN_IF_ERROR(state.changes->Append(window));
  CHECK(state.changes->last() == window.back().revision);
  return state.tree->Write(window);
}

}  // namespace pando::store
