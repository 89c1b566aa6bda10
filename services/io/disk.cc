#include "io/disk.h"

namespace pando::io {
namespace {

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(Disk* disk, const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = disk->Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::string bytes;
  PANDO_RETURN_IF_ERROR((*file)->ReadAt(0, static_cast<size_t>(*size), &bytes));
  return bytes;
}

absl::Status ReplaceFile(Disk* disk, const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  // Left by a crash in an earlier call; its content means nothing.
  if (absl::Status s = disk->Delete(fresh); !s.ok() && !absl::IsNotFound(s)) return s;
  absl::StatusOr<std::unique_ptr<File>> file = disk->Open(fresh, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  PANDO_RETURN_IF_ERROR((*file)->WriteAt(0, bytes));
  PANDO_RETURN_IF_ERROR((*file)->Sync());
  PANDO_RETURN_IF_ERROR(disk->Rename(fresh, path));
  return disk->SyncDir(Folder(path));
}

}  // namespace pando::io
