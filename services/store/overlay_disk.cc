#include "store/overlay_disk.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pando::store {

struct OverlayDisk::Content {
  base::Mutex mutex;
  std::string bytes PANDO_GUARDED_BY(mutex);
};

class OverlayDisk::MemoryFile final : public io::File {
 public:
  explicit MemoryFile(std::shared_ptr<Content> content) : content_(std::move(content)) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    const base::MutexLock lock(&content_->mutex);
    if (content_->bytes.size() < offset + bytes.size()) {
      content_->bytes.resize(offset + bytes.size());
    }
    content_->bytes.replace(offset, bytes.size(), bytes);
    return absl::OkStatus();
  }
  absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    const base::MutexLock lock(&content_->mutex);
    if (offset < content_->bytes.size()) out->append(content_->bytes, offset, size);
    return absl::OkStatus();
  }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::Status Truncate(uint64_t size) override {
    const base::MutexLock lock(&content_->mutex);
    content_->bytes.resize(size);
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Size() override {
    const base::MutexLock lock(&content_->mutex);
    return content_->bytes.size();
  }

 private:
  const std::shared_ptr<Content> content_;
};

absl::StatusOr<std::shared_ptr<OverlayDisk::Content>> OverlayDisk::Lift(const std::string& path) {
  if (const auto file = files_.find(path); file != files_.end()) return file->second;
  if (deleted_.contains(path)) return absl::NotFoundError(path);
  absl::StatusOr<std::string> bytes = io::ReadFile(below_, path);
  if (!bytes.ok()) return bytes.status();
  auto content = std::make_shared<Content>();
  {
    const base::MutexLock lock(&content->mutex);
    content->bytes = *std::move(bytes);
  }
  files_.emplace(path, content);
  return content;
}

absl::StatusOr<std::unique_ptr<io::File>> OverlayDisk::Open(const std::string& path,
                                                            io::OpenMode mode) {
  const base::MutexLock lock(&mutex_);
  const auto file = files_.find(path);
  if (mode == io::OpenMode::kRead && file == files_.end()) {
    if (deleted_.contains(path)) return absl::NotFoundError(path);
    return below_->Open(path, mode);
  }
  if (mode == io::OpenMode::kCreate) {
    const bool below = !deleted_.contains(path) && below_->Open(path, io::OpenMode::kRead).ok();
    if (below || file != files_.end()) return absl::AlreadyExistsError(path);
    auto content = std::make_shared<Content>();
    files_.emplace(path, content);
    return std::make_unique<MemoryFile>(std::move(content));
  }
  absl::StatusOr<std::shared_ptr<Content>> content = Lift(path);
  if (!content.ok()) return content.status();
  return std::make_unique<MemoryFile>(*std::move(content));
}

absl::StatusOr<std::vector<std::string>> OverlayDisk::List(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  const std::string prefix = dir == "." ? "" : absl::StrCat(dir, "/");
  const absl::StatusOr<std::vector<std::string>> below = below_->List(dir);
  if (!below.ok() && !(absl::IsNotFound(below.status()) && dirs_.contains(dir))) {
    return below.status();
  }
  std::set<std::string> names;
  if (below.ok()) names.insert(below->begin(), below->end());
  for (const std::string& path : deleted_) {
    if (path.starts_with(prefix)) names.erase(path.substr(prefix.size()));
  }
  for (const auto& [path, content] : files_) {
    const std::string name = path.starts_with(prefix) ? path.substr(prefix.size()) : "";
    if (!name.empty() && name.find('/') == std::string::npos) names.insert(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

absl::Status OverlayDisk::MakeDir(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  dirs_.insert(dir);
  return absl::OkStatus();
}

absl::Status OverlayDisk::Rename(const std::string& from, const std::string& to) {
  const base::MutexLock lock(&mutex_);
  absl::StatusOr<std::shared_ptr<Content>> content = Lift(from);
  if (!content.ok()) return content.status();
  files_.erase(from);
  deleted_.insert(from);
  files_.insert_or_assign(to, *std::move(content));
  return absl::OkStatus();
}

absl::Status OverlayDisk::Delete(const std::string& path) {
  const base::MutexLock lock(&mutex_);
  if (files_.erase(path) == 0) {
    if (deleted_.contains(path)) return absl::NotFoundError(path);
    if (absl::Status s = below_->Open(path, io::OpenMode::kRead).status(); !s.ok()) return s;
  }
  deleted_.insert(path);
  return absl::OkStatus();
}

absl::Status OverlayDisk::DeleteTree(const std::string& dir) {
  return absl::UnimplementedError(absl::StrCat("DeleteTree ", dir));
}

absl::Status OverlayDisk::SyncDir(const std::string&) { return absl::OkStatus(); }

}  // namespace pando::store
