// CrashDisk: a disk in memory that loses power. For tests.
//
// After a cut a file has what was synced, and of the rest any subset of its 4 KiB blocks; a name
// is as it was at the last SyncDir of its folder, or as it was last, each by itself. That is less
// than any journaling file system leaves. Thread-safe: LevelDB compacts on a thread of its own.
#ifndef PANDO_STORE_TESTING_CRASH_DISK_H_
#define PANDO_STORE_TESTING_CRASH_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/rng.h"
#include "io/disk.h"

namespace pando::store {

class CrashDisk final : public io::Disk {
 public:
  CrashDisk();

  // The power goes off at the `operations`-th change from now: that one and all later calls fail
  // with ABORTED. Files that are open now stay dead for ever.
  void CutAfter(uint64_t operations) PANDO_EXCLUDES(mutex_);
  bool cut() const PANDO_EXCLUDES(mutex_);
  // Changes made so far.
  uint64_t operations() const PANDO_EXCLUDES(mutex_);
  // On again: after a power cut, or after kill -9, which loses nothing that was written.
  void LosePower(uint64_t seed) PANDO_EXCLUDES(mutex_);
  void Restart() PANDO_EXCLUDES(mutex_);

  // While it is full nothing can be created or written. A write gets half of itself done first.
  void SetFull(bool full) PANDO_EXCLUDES(mutex_);
  // The next Sync of a path with `part` in it fails for want of room, once.
  void FailNextSync(std::string part) PANDO_EXCLUDES(mutex_);
  // Rot: flips one bit of a synced byte.
  void Flip(const std::string& path, uint64_t offset) PANDO_EXCLUDES(mutex_);

  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override PANDO_EXCLUDES(mutex_);
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override
      PANDO_EXCLUDES(mutex_);
  absl::Status MakeDir(const std::string& dir) override PANDO_EXCLUDES(mutex_);
  absl::Status Rename(const std::string& from, const std::string& to) override
      PANDO_EXCLUDES(mutex_);
  absl::Status Delete(const std::string& path) override PANDO_EXCLUDES(mutex_);
  absl::Status DeleteTree(const std::string& dir) override PANDO_EXCLUDES(mutex_);
  absl::Status SyncDir(const std::string& dir) override PANDO_EXCLUDES(mutex_);
  absl::StatusOr<uint64_t> FreeBytes() override { return uint64_t{1} << 40; }

 private:
  struct Inode {
    std::string bytes;
    std::string synced;
  };
  // A folder's inode is null.
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  class CrashFile;

  // Counts a change; an error if the power is off, or goes off with it.
  absl::Status Change() PANDO_REQUIRES(mutex_);
  absl::Status On() const PANDO_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  Names names_ PANDO_GUARDED_BY(mutex_);
  Names synced_names_ PANDO_GUARDED_BY(mutex_);
  uint64_t operations_ PANDO_GUARDED_BY(mutex_) = 0;
  uint64_t cut_at_ PANDO_GUARDED_BY(mutex_) = UINT64_MAX;
  uint64_t lives_ PANDO_GUARDED_BY(mutex_) = 1;
  bool off_ PANDO_GUARDED_BY(mutex_) = false;
  bool full_ PANDO_GUARDED_BY(mutex_) = false;
  std::string failing_sync_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::store

#endif  // PANDO_STORE_TESTING_CRASH_DISK_H_
