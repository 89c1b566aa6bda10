#include "store/snapshot_file.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"
#include "model/limits.h"

namespace pando::store {
namespace {

// A sync of everything at the end would hold up the WAL's on the same disk.
constexpr uint64_t kSyncEveryBytes = uint64_t{4} << 20;
constexpr size_t kWriteBytes = size_t{256} << 10;
constexpr size_t kReadBytes = size_t{256} << 10;
constexpr std::string_view kSuffix = ".snapshot";
constexpr std::string_view kUnfinished = ".unfinished";

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Zero for a name that no finished snapshot has.
model::Revision RevisionOf(std::string_view name) {
  if (!name.ends_with(kSuffix)) return {};
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  uint64_t revision = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  return model::Revision(whole ? revision : 0);
}

}  // namespace

SnapshotWriter::SnapshotWriter(io::Disk* disk, std::string path, std::unique_ptr<io::File> file,
                               const SnapshotHeader& header)
    : disk_(disk), path_(std::move(path)), file_(std::move(file)), encoder_(header) {}

absl::StatusOr<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(
    io::Disk* disk, std::string path, const SnapshotHeader& header) {
  const std::string folder = FolderOf(path);
  PANDO_RETURN_IF_ERROR(disk->MakeDir(folder));
  PANDO_RETURN_IF_ERROR(disk->SyncDir(FolderOf(folder)));
  const std::string unfinished = absl::StrCat(path, base::View(kUnfinished));
  if (absl::Status s = disk->Delete(unfinished); !s.ok() && !absl::IsNotFound(s)) return s;
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(unfinished, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  return std::unique_ptr<SnapshotWriter>(
      new SnapshotWriter(disk, std::move(path), *std::move(file), header));
}

absl::Status SnapshotWriter::Add(std::string_view key, std::string_view value) {
  encoder_.Add(key, value);
  return encoder_.encoded().size() < kWriteBytes ? absl::OkStatus() : Write();
}

absl::Status SnapshotWriter::Finish() {
  encoder_.Finish();
  PANDO_RETURN_IF_ERROR(Write());
  PANDO_RETURN_IF_ERROR(file_->Sync());
  PANDO_RETURN_IF_ERROR(disk_->Rename(absl::StrCat(path_, base::View(kUnfinished)), path_));
  return disk_->SyncDir(FolderOf(path_));
}

absl::Status SnapshotWriter::Write() {
  const std::string bytes = encoder_.Take();
  PANDO_RETURN_IF_ERROR(file_->WriteAt(offset_, bytes));
  offset_ += bytes.size();
  if (offset_ < synced_ + kSyncEveryBytes) return absl::OkStatus();
  synced_ = offset_;
  return file_->Sync();
}

absl::StatusOr<SnapshotHeader> ReadSnapshot(io::Disk* disk, const std::string& path,
                                            const TreeDb::RecordReader& read) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  codec::SnapshotDecoder decoder(read);
  // Its offset is of use only with the file's name.
  const auto with_path = [&](const absl::Status& status) {
    return absl::IsDataLoss(status)
               ? absl::DataLossError(absl::StrCat(path, " at ", status.message()))
               : status;
  };
  while (true) {
    std::string bytes;
    PANDO_RETURN_IF_ERROR((*file)->ReadAt(decoder.bytes(), kReadBytes, &bytes));
    if (bytes.empty()) break;
    PANDO_RETURN_IF_ERROR(with_path(decoder.Feed(bytes)));
  }
  PANDO_RETURN_IF_ERROR(with_path(decoder.Finish()));
  return *decoder.header();
}

absl::StatusOr<SnapshotHeader> ReadSnapshotHeader(io::Disk* disk, const std::string& path) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  std::string bytes;
  PANDO_RETURN_IF_ERROR((*file)->ReadAt(0, codec::kSnapshotHeaderBytes, &bytes));
  SnapshotHeader header;
  if (bytes.size() != codec::kSnapshotHeaderBytes || !codec::DecodeSnapshotHeader(bytes, &header)) {
    return absl::DataLossError(absl::StrCat(path, " at 0: no header of a snapshot"));
  }
  return header;
}

std::string SnapshotPath(model::Revision revision) {
  char name[64];
  std::snprintf(name, sizeof(name), "%s/%020llu.snapshot", kSnapshotDir,
                static_cast<unsigned long long>(revision.value()));
  return name;
}

absl::StatusOr<std::vector<model::Revision>> ListSnapshots(io::Disk* disk) {
  const absl::StatusOr<std::vector<std::string>> names = disk->List(kSnapshotDir);
  std::vector<model::Revision> revisions;
  if (absl::IsNotFound(names.status())) return revisions;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (const model::Revision revision = RevisionOf(name)) revisions.push_back(revision);
  }
  return revisions;
}

absl::StatusOr<model::Revision> NewestSnapshot(io::Disk* disk) {
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  if (revisions->empty()) return model::Revision();
  PANDO_RETURN_IF_ERROR(disk->SyncDir(kSnapshotDir));
  PANDO_RETURN_IF_ERROR(disk->SyncDir("."));
  return revisions->back();
}

absl::Status DeleteOldSnapshots(io::Disk* disk) {
  const absl::StatusOr<std::vector<model::Revision>> revisions = ListSnapshots(disk);
  if (!revisions.ok()) return revisions.status();
  for (size_t i = 0; i + model::kSnapshotsKept < revisions->size(); ++i) {
    PANDO_RETURN_IF_ERROR(disk->Delete(SnapshotPath((*revisions)[i])));
  }
  const absl::StatusOr<std::vector<std::string>> names = disk->List(kSnapshotDir);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!name.ends_with(kUnfinished)) continue;
    PANDO_RETURN_IF_ERROR(disk->Delete(absl::StrCat(kSnapshotDir, "/", name)));
  }
  return absl::OkStatus();
}

}  // namespace pando::store
