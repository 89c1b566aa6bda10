// FaultyDisk: another disk, whose syncs can be held back and which can be full or broken when a
// test says so, with ways to wait until the threads that use it have met that. Thread-safe.
//
// Syncs and refusals are those of segments (*.wal) only: the thread that makes spares comes and
// goes as it likes.
#ifndef PANDO_POSIX_TESTING_FAULTY_DISK_H_
#define PANDO_POSIX_TESTING_FAULTY_DISK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "io/disk.h"

namespace pando::posix {

class FaultyDisk : public io::Disk {
 public:
  // `disk` outlives it, and it outlives its files.
  explicit FaultyDisk(io::Disk* disk) : disk_(disk) {}

  // Syncs do not return, until they are let go.
  void HoldSyncs() PANDO_EXCLUDES(mutex_);
  void LetSyncsGo() PANDO_EXCLUDES(mutex_);
  void AwaitHeldSync() PANDO_EXCLUDES(mutex_);
  void FailSyncs() PANDO_EXCLUDES(mutex_);

  // Every write fails with RESOURCE_EXHAUSTED, of whatever file.
  void SetFull(bool full) PANDO_EXCLUDES(mutex_);
  // As SetFull(true), until a segment is deleted or renamed.
  void SetFullUntilASegmentGoes() PANDO_EXCLUDES(mutex_);
  // Waits until `count` more writes were refused.
  void AwaitRefusals(uint64_t count) PANDO_EXCLUDES(mutex_);

  void SetFreeBytes(uint64_t free_bytes) PANDO_EXCLUDES(mutex_);
  // Waits for a file to be renamed to `path`; every such event is waited for once.
  void AwaitRename(const std::string& path) PANDO_EXCLUDES(mutex_);
  // As AwaitRename if there is one by now.
  bool SawRename(const std::string& path) PANDO_EXCLUDES(mutex_);

  absl::StatusOr<std::unique_ptr<io::File>> Open(const std::string& path,
                                                 io::OpenMode mode) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  absl::Status MakeDir(const std::string& dir) override;
  absl::Status Rename(const std::string& from, const std::string& to) override
      PANDO_EXCLUDES(mutex_);
  absl::Status Delete(const std::string& path) override PANDO_EXCLUDES(mutex_);
  absl::Status DeleteTree(const std::string& dir) override;
  absl::Status SyncDir(const std::string& dir) override;
  absl::StatusOr<uint64_t> FreeBytes() override PANDO_EXCLUDES(mutex_);

 private:
  class OpenFile;
  absl::Status BeforeWrite(bool is_segment) PANDO_EXCLUDES(mutex_);
  absl::Status BeforeSync(bool is_segment) PANDO_EXCLUDES(mutex_);
  void Gone(const std::string& path) PANDO_EXCLUDES(mutex_);

  io::Disk* const disk_;
  base::Mutex mutex_;
  base::CondVar changed_;
  bool holds_syncs_ PANDO_GUARDED_BY(mutex_) = false;
  uint64_t held_ PANDO_GUARDED_BY(mutex_) = 0;
  bool fails_syncs_ PANDO_GUARDED_BY(mutex_) = false;
  bool full_ PANDO_GUARDED_BY(mutex_) = false;
  bool full_until_a_segment_goes_ PANDO_GUARDED_BY(mutex_) = false;
  uint64_t refusals_ PANDO_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> free_bytes_ PANDO_GUARDED_BY(mutex_);
  std::multiset<std::string> renamed_to_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_TESTING_FAULTY_DISK_H_
