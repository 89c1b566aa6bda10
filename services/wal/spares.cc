#include "wal/spares.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::wal {
namespace {

constexpr size_t kZerosBytes = model::kMiB;

absl::StatusOr<uint64_t> FileBytes(io::Disk* disk, const std::string& path) {
  const absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  return (*file)->Size();
}

// Makes a file of zeros, synced.
absl::Status Fill(io::Disk* disk, const std::string& path, uint64_t bytes) {
  const absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const std::string zeros(std::min<uint64_t>(kZerosBytes, bytes), '\0');
  for (uint64_t at = 0; at < bytes; at += zeros.size()) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(zeros.size(), bytes - at));
    PANDO_RETURN_IF_ERROR((*file)->WriteAt(at, std::string_view(zeros).substr(0, size)));
  }
  return (*file)->Sync();
}

}  // namespace

Spares::Spares(io::Disk* disk, std::string dir, uint64_t segment_bytes)
    : disk_(disk),
      dir_(std::move(dir)),
      spare_(absl::StrCat(dir_, "/spare")),
      spare_new_(absl::StrCat(dir_, "/spare.new")),
      segment_bytes_(segment_bytes) {
  CHECK(segment_bytes_ > 0);
}

absl::Status Spares::Clear() {
  PANDO_RETURN_IF_ERROR(DeleteIfThere(spare_));
  return DeleteIfThere(spare_new_);
}

absl::StatusOr<bool> Spares::Take(const std::string& path) {
  if (!Move(State::kReady, State::kTaking)) return false;
  const absl::Status renamed = disk_->Rename(spare_, path);
  CHECK(Move(State::kTaking, State::kNone));
  if (!renamed.ok()) return renamed;
  return true;
}

void Spares::Retire(std::string path) {
  const base::MutexLock lock(&mutex_);
  retired_.push_back(std::move(path));
}

bool Spares::ready() const {
  const base::MutexLock lock(&mutex_);
  return state_ == State::kReady;
}

bool Spares::wants_tending() const {
  const base::MutexLock lock(&mutex_);
  return !retired_.empty() || state_ == State::kNone;
}

absl::Status Spares::Tend() {
  PANDO_RETURN_IF_ERROR(ClearRetired());
  return MakeSpare();
}

absl::Status Spares::ClearRetired() {
  for (;;) {
    std::string path;
    {
      const base::MutexLock lock(&mutex_);
      if (retired_.empty()) return absl::OkStatus();
      path = std::move(retired_.front());
      retired_.pop_front();
    }
    PANDO_RETURN_IF_ERROR(ClearOne(path));
    // Each by itself: if a later one's going could survive a crash that this one's does not, there
    // would be a gap in the log.
    PANDO_RETURN_IF_ERROR(disk_->SyncDir(dir_));
    Move(State::kMaking, State::kReady);
  }
}

absl::Status Spares::ClearOne(const std::string& path) {
  const absl::StatusOr<uint64_t> bytes = FileBytes(disk_, path);
  if (!bytes.ok()) return bytes.status();
  // Another size: it was made without a spare, or for one huge batch.
  const bool fits = *bytes == segment_bytes_;
  if (fits && Move(State::kNone, State::kMaking)) return disk_->Rename(path, spare_);
  return disk_->Delete(path);
}

absl::Status Spares::MakeSpare() {
  if (!Move(State::kNone, State::kMaking)) return absl::OkStatus();
  const absl::StatusOr<uint64_t> free_bytes = disk_->FreeBytes();
  if (!free_bytes.ok()) return free_bytes.status();
  // A spare must not take the room that the log itself needs.
  absl::Status made = *free_bytes < segment_bytes_
                          ? absl::ResourceExhaustedError("no room for a spare WAL segment")
                          : Fill(disk_, spare_new_, segment_bytes_);
  if (absl::IsResourceExhausted(made)) {
    PANDO_RETURN_IF_ERROR(DeleteIfThere(spare_new_));
    CHECK(Move(State::kMaking, State::kNone));
    return made;
  }
  PANDO_RETURN_IF_ERROR(made);
  PANDO_RETURN_IF_ERROR(disk_->Rename(spare_new_, spare_));
  PANDO_RETURN_IF_ERROR(disk_->SyncDir(dir_));
  CHECK(Move(State::kMaking, State::kReady));
  return absl::OkStatus();
}

bool Spares::Move(State from, State to) {
  const base::MutexLock lock(&mutex_);
  if (state_ != from) return false;
  state_ = to;
  return true;
}

absl::Status Spares::DeleteIfThere(const std::string& path) {
  const absl::Status deleted = disk_->Delete(path);
  return absl::IsNotFound(deleted) ? absl::OkStatus() : deleted;
}

}  // namespace pando::wal
