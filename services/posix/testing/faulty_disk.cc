#include "posix/testing/faulty_disk.h"

#include <utility>

namespace pando::posix {
namespace {

bool IsSegment(const std::string& path) { return path.ends_with(".wal"); }

}  // namespace

class FaultyDisk::OpenFile : public io::File {
 public:
  OpenFile(FaultyDisk* disk, bool is_segment, std::unique_ptr<io::File> file)
      : disk_(disk), is_segment_(is_segment), file_(std::move(file)) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    PANDO_RETURN_IF_ERROR(disk_->BeforeWrite(is_segment_));
    return file_->WriteAt(offset, bytes);
  }
  absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    return file_->ReadAt(offset, size, out);
  }
  absl::Status Sync() override {
    PANDO_RETURN_IF_ERROR(disk_->BeforeSync(is_segment_));
    return file_->Sync();
  }
  absl::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
  absl::StatusOr<uint64_t> Size() override { return file_->Size(); }

 private:
  FaultyDisk* const disk_;
  const bool is_segment_;
  const std::unique_ptr<io::File> file_;
};

void FaultyDisk::HoldSyncs() {
  base::MutexLock lock(&mutex_);
  holds_syncs_ = true;
}

void FaultyDisk::LetSyncsGo() {
  base::MutexLock lock(&mutex_);
  holds_syncs_ = false;
  changed_.NotifyAll();
}

void FaultyDisk::AwaitHeldSync() {
  base::MutexLock lock(&mutex_);
  while (held_ == 0) changed_.Wait(&mutex_);
}

void FaultyDisk::FailSyncs() {
  base::MutexLock lock(&mutex_);
  fails_syncs_ = true;
}

void FaultyDisk::SetFull(bool full) {
  base::MutexLock lock(&mutex_);
  full_ = full;
}

void FaultyDisk::SetFullUntilASegmentGoes() {
  base::MutexLock lock(&mutex_);
  full_ = true;
  full_until_a_segment_goes_ = true;
}

void FaultyDisk::AwaitRefusals(uint64_t count) {
  base::MutexLock lock(&mutex_);
  const uint64_t enough = refusals_ + count;
  while (refusals_ < enough) changed_.Wait(&mutex_);
}

void FaultyDisk::SetFreeBytes(uint64_t free_bytes) {
  base::MutexLock lock(&mutex_);
  free_bytes_ = free_bytes;
}

void FaultyDisk::AwaitRename(const std::string& path) {
  base::MutexLock lock(&mutex_);
  while (!renamed_to_.contains(path)) changed_.Wait(&mutex_);
  renamed_to_.erase(renamed_to_.find(path));
}

bool FaultyDisk::SawRename(const std::string& path) {
  base::MutexLock lock(&mutex_);
  const auto found = renamed_to_.find(path);
  if (found == renamed_to_.end()) return false;
  renamed_to_.erase(found);
  return true;
}

absl::StatusOr<std::unique_ptr<io::File>> FaultyDisk::Open(const std::string& path,
                                                           io::OpenMode mode) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, mode);
  if (!file.ok()) return file.status();
  return std::make_unique<OpenFile>(this, IsSegment(path), *std::move(file));
}

absl::StatusOr<std::vector<std::string>> FaultyDisk::List(const std::string& dir) {
  return disk_->List(dir);
}

absl::Status FaultyDisk::MakeDir(const std::string& dir) { return disk_->MakeDir(dir); }

absl::Status FaultyDisk::Rename(const std::string& from, const std::string& to) {
  PANDO_RETURN_IF_ERROR(disk_->Rename(from, to));
  Gone(from);
  base::MutexLock lock(&mutex_);
  renamed_to_.insert(to);
  changed_.NotifyAll();
  return absl::OkStatus();
}

absl::Status FaultyDisk::Delete(const std::string& path) {
  PANDO_RETURN_IF_ERROR(disk_->Delete(path));
  Gone(path);
  return absl::OkStatus();
}

absl::Status FaultyDisk::DeleteTree(const std::string& dir) { return disk_->DeleteTree(dir); }

absl::Status FaultyDisk::SyncDir(const std::string& dir) { return disk_->SyncDir(dir); }

absl::StatusOr<uint64_t> FaultyDisk::FreeBytes() {
  base::MutexLock lock(&mutex_);
  if (free_bytes_.has_value()) return *free_bytes_;
  return disk_->FreeBytes();
}

absl::Status FaultyDisk::BeforeWrite(bool is_segment) {
  base::MutexLock lock(&mutex_);
  if (!full_) return absl::OkStatus();
  if (is_segment) ++refusals_;
  changed_.NotifyAll();
  return absl::ResourceExhaustedError("the test's disk is full");
}

absl::Status FaultyDisk::BeforeSync(bool is_segment) {
  if (!is_segment) return absl::OkStatus();
  base::MutexLock lock(&mutex_);
  ++held_;
  changed_.NotifyAll();
  while (holds_syncs_) changed_.Wait(&mutex_);
  --held_;
  return fails_syncs_ ? absl::DataLossError("the test's disk is broken") : absl::OkStatus();
}

void FaultyDisk::Gone(const std::string& path) {
  base::MutexLock lock(&mutex_);
  if (!full_until_a_segment_goes_ || !IsSegment(path)) return;
  full_until_a_segment_goes_ = false;
  full_ = false;
}

}  // namespace pando::posix
