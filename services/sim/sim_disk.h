// SimDisk: an io::Disk in memory that forgets what a real one may forget.
//
// The crash rule (io/disk.h), with the worst that it allows: of what was not synced, every 4 KiB
// block is kept, lost or torn in 512-byte sectors, each by itself; a file's size is the synced one,
// the newest, or a block boundary between; each name is what it was at its folder's last sync or
// what it is now, each by itself: a renamed file may be found under both names or neither.
//
// Thread-safe, because stores run threads of their own. Same calls and seeds, same bytes.
#ifndef PANDO_SIM_SIM_DISK_H_
#define PANDO_SIM_SIM_DISK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/rng.h"
#include "base/status.h"
#include "io/disk.h"

namespace pando::sim {

class SimDisk : public io::Disk {
 public:
  SimDisk();
  ~SimDisk() override;

  // --- What a test does to it -----------------------------------------------------------------

  // The disk as it is found after a power loss now. This one goes on as if nothing happened.
  std::unique_ptr<SimDisk> Crash(base::Rng* rng) const;
  // The disk as it is found after a kill -9 now: all that was written is there, though what was not
  // synced still is not.
  std::unique_ptr<SimDisk> Kill() const;

  // Calls that change something or sync it, so far; failed ones too.
  uint64_t operations() const;
  // From now on `count` more such calls are served; the one after them fails with UNAVAILABLE, and
  // so does every call from then on. A write that is the first to fail reaches the disk in part.
  void StopAfter(uint64_t count);
  // A call has failed because of that.
  bool stopped() const;

  // Of all files that have a name; beyond it writes take what fits and give RESOURCE_EXHAUSTED.
  void SetCapacity(uint64_t bytes);
  uint64_t used_bytes() const;
  // The next `count` syncs of files and folders fail with DATA_LOSS and sync nothing.
  void FailSyncs(uint64_t count);
  // Rot: the bit is flipped in what is cached and in what is synced. REQUIRES: it is in the file.
  void FlipBit(const std::string& path, uint64_t offset, unsigned bit);
  // Called at the start of every call that operations() counts, with the path; null: none. It must
  // not call the disk.
  void SetProbe(std::function<void(const std::string& path)> probe);

  // --- io::Disk -------------------------------------------------------------------------------

  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  absl::Status MakeDir(const std::string& dir) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Delete(const std::string& path) override;
  absl::Status DeleteTree(const std::string& dir) override;
  absl::Status SyncDir(const std::string& dir) override;
  absl::StatusOr<uint64_t> FreeBytes() override;

 private:
  class OpenFile;
  struct Inode;
  struct State;
  // Shared with the open files: they may outlive the disk and then fail.
  std::shared_ptr<State> state_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SIM_DISK_H_
