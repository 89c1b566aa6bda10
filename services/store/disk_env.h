// DiskEnv: the world as LevelDB sees it, on an io::Disk.
//
// LevelDB's own Env is not used, for four reasons:
//   - it maps tables into memory, and then the whole store counts as resident;
//   - its errors keep neither the file nor the offset; last_error() here has both;
//   - it leaves to the file system when a new log's name is on disk; here a file's name is synced
//     with its first bytes, and a renamed one at once;
//   - on a simulated disk LevelDB is crash-tested by the rules that our own formats are tested by.
//
// Thread-safe. LevelDB's compactions run on a thread of it, pando-compact.
#ifndef PANDO_STORE_DISK_ENV_H_
#define PANDO_STORE_DISK_ENV_H_

#include <memory>

#include "base/status.h"
#include "io/disk.h"

namespace leveldb {
class Env;
class Logger;
}  // namespace leveldb

namespace pando::store {

class DiskEnv {
 public:
  // `disk` outlives it; what LevelDB opens in it is closed before its end.
  explicit DiskEnv(io::Disk* disk);
  ~DiskEnv();
  DiskEnv(const DiskEnv&) = delete;
  DiskEnv& operator=(const DiskEnv&) = delete;

  leveldb::Env* env();
  // Drops LevelDB's chatter: its compactions are no events of Pando.
  leveldb::Logger* logger();

  // The first failure of the disk since ClearError(), with its file; OK if there was none. A file
  // that is not there is no failure.
  absl::Status last_error() const;
  void ClearError();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pando::store

#endif  // PANDO_STORE_DISK_ENV_H_
