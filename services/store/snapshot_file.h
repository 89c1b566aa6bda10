// Snapshot files: snapshots (codec/snapshot.h) on a disk, and which of them a data dir has. A file
// has its name only once it is whole and synced.
#ifndef PANDO_STORE_SNAPSHOT_FILE_H_
#define PANDO_STORE_SNAPSHOT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codec/snapshot.h"
#include "io/disk.h"
#include "model/ids.h"
#include "store/tree_db.h"

namespace pando::store {

using codec::SnapshotHeader;

// Owned by one thread. Dropped without Finish() it leaves a file beside `path` that the next writer
// of that path replaces.
class SnapshotWriter {
 public:
  // Makes the folder of `path` too.
  static absl::StatusOr<std::unique_ptr<SnapshotWriter>> Create(io::Disk* disk, std::string path,
                                                                const SnapshotHeader& header);
  // REQUIRES: keys strictly increase.
  [[nodiscard]] absl::Status Add(std::string_view key, std::string_view value);
  // Writes the trailer, syncs, and gives the file its name.
  [[nodiscard]] absl::Status Finish();
  // Handed over so far.
  uint64_t bytes() const { return encoder_.bytes(); }

 private:
  SnapshotWriter(io::Disk* disk, std::string path, std::unique_ptr<io::File> file,
                 const SnapshotHeader& header);
  absl::Status Write();

  io::Disk* const disk_;
  const std::string path_;
  const std::unique_ptr<io::File> file_;
  codec::SnapshotEncoder encoder_;
  uint64_t offset_ = 0;  // of what is not written yet
  uint64_t synced_ = 0;
};

// Verifies all of the file at `path` and gives its records, which are only good once it returned
// OK. DATA_LOSS names file and offset; an error of `read` comes back as it is. `read` may be null.
[[nodiscard]] absl::StatusOr<SnapshotHeader> ReadSnapshot(io::Disk* disk, const std::string& path,
                                                          const TreeDb::RecordReader& read);

// What the file at `path` says it is of; only ReadSnapshot says that it is whole. DATA_LOSS: no
// snapshot.
[[nodiscard]] absl::StatusOr<SnapshotHeader> ReadSnapshotHeader(io::Disk* disk,
                                                                const std::string& path);

// The snapshots of a data dir, in the folder snapshots/.
inline constexpr char kSnapshotDir[] = "snapshots";
std::string SnapshotPath(model::Revision revision);
// The revisions of all that have a name, oldest first; none if there is no folder.
[[nodiscard]] absl::StatusOr<std::vector<model::Revision>> ListSnapshots(io::Disk* disk);
// The newest, with its name synced, so that the WAL may be cut by it; zero: there is none.
[[nodiscard]] absl::StatusOr<model::Revision> NewestSnapshot(io::Disk* disk);
// Deletes all but the newest kSnapshotsKept, and what writers left unfinished.
[[nodiscard]] absl::Status DeleteOldSnapshots(io::Disk* disk);

}  // namespace pando::store

#endif  // PANDO_STORE_SNAPSHOT_FILE_H_
