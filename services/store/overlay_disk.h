// OverlayDisk: a disk to write to without touching the one below. What is written, renamed or
// deleted stays in memory. For looking into a data dir with code that cannot but write.
// Thread-safe.
#ifndef PANDO_STORE_OVERLAY_DISK_H_
#define PANDO_STORE_OVERLAY_DISK_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "io/disk.h"

namespace pando::store {

class OverlayDisk final : public io::Disk {
 public:
  // `below` outlives it.
  explicit OverlayDisk(io::Disk* below) : below_(below) {}

  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override PANDO_EXCLUDES(mutex_);
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override
      PANDO_EXCLUDES(mutex_);
  absl::Status MakeDir(const std::string& dir) override PANDO_EXCLUDES(mutex_);
  absl::Status Rename(const std::string& from, const std::string& to) override
      PANDO_EXCLUDES(mutex_);
  absl::Status Delete(const std::string& path) override PANDO_EXCLUDES(mutex_);
  absl::Status DeleteTree(const std::string& dir) override PANDO_EXCLUDES(mutex_);
  absl::Status SyncDir(const std::string& dir) override;
  absl::StatusOr<uint64_t> FreeBytes() override { return below_->FreeBytes(); }

 private:
  struct Content;
  class MemoryFile;
  // The file at `path` in memory, taken there from below if need be.
  absl::StatusOr<std::shared_ptr<Content>> Lift(const std::string& path) PANDO_REQUIRES(mutex_);

  io::Disk* const below_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Content>> files_ PANDO_GUARDED_BY(mutex_);
  std::set<std::string> deleted_ PANDO_GUARDED_BY(mutex_);  // of those below
  std::set<std::string> dirs_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::store

#endif  // PANDO_STORE_OVERLAY_DISK_H_
