// TreeDb: the records of all replicated state in LevelDB, always at exactly one revision.
//
// Every batch is synced: an unsynced LevelDB write is no prefix after a power loss (google/leveldb
// issue 193). The record with the empty key says which revision a batch brings the state to; no
// other record has it.
//
// Write is called by the store thread only; views are taken and read by the scan thread.
#ifndef PANDO_STORE_TREE_DB_H_
#define PANDO_STORE_TREE_DB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/store.h"
#include "model/ids.h"
#include "model/record.h"
#include "store/disk_env.h"

namespace leveldb {
class Cache;
class DB;
class Snapshot;
class WriteBatch;
}  // namespace leveldb

namespace pando::store {

struct TreeDbOptions {
  // Twice of it may be in memory, and more while a window that is larger is written.
  size_t write_buffer_bytes = size_t{8} << 20;
  // Larger tables are fewer to merge with, but a compaction then takes longer at a time.
  size_t table_bytes = size_t{4} << 20;
};

class TreeDb {
 public:
  class View;
  // A record; the views live as long as the call. An error ends the reading and comes back from it.
  using RecordReader = std::function<absl::Status(std::string_view key, std::string_view value)>;

  // Makes one in `dir`, without records, at revision 0.
  static absl::StatusOr<std::unique_ptr<TreeDb>> Create(io::Disk* disk, std::string dir,
                                                        TreeDbOptions options);
  // DATA_LOSS: damaged or not there; the message names the file.
  static absl::StatusOr<std::unique_ptr<TreeDb>> Open(io::Disk* disk, std::string dir,
                                                      TreeDbOptions options);
  ~TreeDb();
  TreeDb(const TreeDb&) = delete;
  TreeDb& operator=(const TreeDb&) = delete;

  // The last write of each key in `window`, and the mark of its last element, in one synced batch.
  // RESOURCE_EXHAUSTED: the disk is full and nothing of it holds; the same window may be written
  // again, which first reopens the database, because LevelDB fails every write after one that
  // failed. Any other error: stop the process.
  [[nodiscard]] absl::Status Write(const std::vector<io::StoreWrite>& window);
  // Records as they are, for building a state that nobody reads before its mark is `mark`.
  [[nodiscard]] absl::Status Build(const std::vector<model::RecordWrite>& records,
                                   const io::StateMark& mark);

  // As of the last Write.
  io::StateMark mark() const PANDO_EXCLUDES(mutex_);

  // Every record in key order, checksums verified. DATA_LOSS names the damaged file.
  [[nodiscard]] absl::Status Load(const RecordReader& read);

  // The state at one revision, from now on. UNAVAILABLE while the database has to be reopened; a
  // view then answers so too, its owner lets it go, and Write waits for that.
  absl::StatusOr<std::unique_ptr<View>> TakeView() PANDO_EXCLUDES(mutex_);

  // Verifies every table whole, besides what LevelDB reads. OK: none is damaged.
  [[nodiscard]] absl::Status CheckTables();

 private:
  TreeDb(io::Disk* disk, std::string dir, TreeDbOptions options);
  absl::Status OpenDb(bool create);
  absl::StatusOr<io::StateMark> ReadMark(const leveldb::Snapshot* snapshot);
  absl::Status Reopen() PANDO_EXCLUDES(mutex_);
  absl::Status WriteBatch(leveldb::WriteBatch* batch, const io::StateMark& mark)
      PANDO_EXCLUDES(mutex_);
  // What went wrong, with the file it went wrong in as far as that can be found.
  absl::Status Explain(const std::string& what, bool corruption);

  io::Disk* const disk_;
  const std::string dir_;
  const TreeDbOptions options_;
  const std::unique_ptr<DiskEnv> env_;
  const std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;

  mutable base::Mutex mutex_;
  base::CondVar view_gone_;
  io::StateMark mark_ PANDO_GUARDED_BY(mutex_);
  size_t views_ PANDO_GUARDED_BY(mutex_) = 0;
  // A write has failed, and every further one would, until the database is opened again.
  bool must_reopen_ PANDO_GUARDED_BY(mutex_) = false;
};

// The state at one revision, whatever is written meanwhile. Owned by the scan thread. It holds
// superseded tables and values on disk: it must not live for long.
class TreeDb::View {
 public:
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const io::StateMark& mark() const { return mark_; }
  // The database has to be reopened: let the view go.
  bool stale() const;

  // Goes to the first record at or after `begin`. An `end` that is empty is the end of all.
  void Seek(std::string_view begin, std::string_view end);
  // Appends the next records to `*records` and what they weigh to `*bytes`, as long as that stays
  // within `bytes_max`; the first of `*records` always fits. True: the range is through.
  [[nodiscard]] absl::StatusOr<bool> Next(size_t bytes_max, size_t* bytes,
                                          std::vector<model::RecordWrite>* records);

 private:
  friend class TreeDb;
  struct Reading;
  explicit View(TreeDb* tree);

  TreeDb* const tree_;
  io::StateMark mark_;
  std::unique_ptr<Reading> reading_;
};

}  // namespace pando::store

#endif  // PANDO_STORE_TREE_DB_H_
