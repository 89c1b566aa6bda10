// What is done with a data dir while no server runs on it: verify it, or rebuild a damaged tree.
// Both want the dir's lock to be held by the caller.
#ifndef PANDO_STORE_RECOVER_H_
#define PANDO_STORE_RECOVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "model/ids.h"
#include "store/data_dir.h"
#include "store/state.h"
#include "store/tree_db.h"

namespace pando::store {

// A record's part of the digest, which is the sum of them all; null: the digest is not compared.
using RecordDigest = std::function<uint64_t(std::string_view key, std::string_view value)>;

struct CheckResult {
  // One line per damaged file: which it is, for Pando's own files at which offset, and what.
  std::vector<std::string> damages;
  // Of the tree, if it can be read.
  io::StateMark mark;
  bool wal_reset = false;  // the log is still to begin anew after it
  uint64_t records = 0;
  std::vector<model::Revision> snapshots;  // the good ones, oldest first
};
// Verifies identity, CURRENT, the tree with its digest, the change log and the snapshots; the WAL
// verifies itself (wal/). Changes nothing. An error: the dir cannot be read at all.
[[nodiscard]] absl::StatusOr<CheckResult> Check(io::Disk* disk, const RecordDigest& digest);

// Builds a new state from the newest good snapshot and puts it in force; from nothing, if none was
// ever taken. The normal start then applies the WAL's entries above it, and refuses if the WAL does
// not reach that far back. Watches from before it end COMPACTED. Returns the new state's mark.
[[nodiscard]] absl::StatusOr<io::StateMark> Recover(io::Disk* disk, const RecordDigest& digest,
                                                    const StateOptions& options);

}  // namespace pando::store

#endif  // PANDO_STORE_RECOVER_H_
