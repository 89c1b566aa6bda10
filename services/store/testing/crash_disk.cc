#include "store/testing/crash_disk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::store {
namespace {

constexpr size_t kBlockBytes = 4096;

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

absl::Status PowerOff() { return absl::AbortedError("the power is off"); }
absl::Status Full(const std::string& path) {
  return absl::ResourceExhaustedError(absl::StrCat(path, ": no space left on device"));
}

// What a cut leaves of a file that held `synced` and then `bytes`. Block by block either; `mood`
// is how many of ten unsynced blocks made it.
std::string AfterCut(const std::string& synced, const std::string& bytes, uint64_t mood,
                     base::Rng* rng) {
  const size_t longest = std::max(synced.size(), bytes.size());
  size_t size = rng->Below(10) < mood ? bytes.size() : synced.size();
  std::string left = synced;
  left.resize(longest);
  for (size_t block = 0; block < longest; block += kBlockBytes) {
    if (rng->Below(10) >= mood || block >= bytes.size()) continue;
    const size_t count = std::min(kBlockBytes, bytes.size() - block);
    left.replace(block, count, bytes, block, count);
    // A block that made it is part of the file, but the length may be older.
    if (bytes.size() > synced.size() && rng->Chance(500)) size = std::max(size, block + count);
  }
  left.resize(size);
  return left;
}

}  // namespace

class CrashDisk::CrashFile final : public io::File {
 public:
  CrashFile(CrashDisk* disk, std::string path, std::shared_ptr<Inode> inode, uint64_t life)
      : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), life_(life) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    const base::MutexLock lock(&disk_->mutex_);
    if (disk_->lives_ != life_) return PowerOff();
    PANDO_RETURN_IF_ERROR(disk_->On());
    // The write that meets the cut may have got through, as any that is not synced.
    const absl::Status on = disk_->Change();
    if (disk_->full_) bytes = bytes.substr(0, bytes.size() / 2);
    if (inode_->bytes.size() < offset + bytes.size()) inode_->bytes.resize(offset + bytes.size());
    inode_->bytes.replace(offset, bytes.size(), bytes);
    if (disk_->full_) return Full(path_);
    return on;
  }
  absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    const base::MutexLock lock(&disk_->mutex_);
    if (disk_->lives_ != life_ || disk_->off_) return PowerOff();
    if (offset < inode_->bytes.size()) out->append(inode_->bytes, offset, size);
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    const base::MutexLock lock(&disk_->mutex_);
    if (disk_->lives_ != life_) return PowerOff();
    PANDO_RETURN_IF_ERROR(disk_->Change());
    if (!disk_->failing_sync_.empty() && path_.find(disk_->failing_sync_) != std::string::npos) {
      disk_->failing_sync_.clear();
      return Full(path_);
    }
    inode_->synced = inode_->bytes;
    return absl::OkStatus();
  }
  absl::Status Truncate(uint64_t size) override {
    const base::MutexLock lock(&disk_->mutex_);
    if (disk_->lives_ != life_) return PowerOff();
    PANDO_RETURN_IF_ERROR(disk_->Change());
    inode_->bytes.resize(size);
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Size() override {
    const base::MutexLock lock(&disk_->mutex_);
    if (disk_->lives_ != life_ || disk_->off_) return PowerOff();
    return inode_->bytes.size();
  }

 private:
  CrashDisk* const disk_;
  const std::string path_;
  const std::shared_ptr<Inode> inode_;
  const uint64_t life_;
};

CrashDisk::CrashDisk() {
  const base::MutexLock lock(&mutex_);
  names_["."] = nullptr;
  synced_names_["."] = nullptr;
}

void CrashDisk::CutAfter(uint64_t operations) {
  const base::MutexLock lock(&mutex_);
  cut_at_ = operations_ + operations;
}

bool CrashDisk::cut() const {
  const base::MutexLock lock(&mutex_);
  return off_;
}

uint64_t CrashDisk::operations() const {
  const base::MutexLock lock(&mutex_);
  return operations_;
}

void CrashDisk::LosePower(uint64_t seed) {
  const base::MutexLock lock(&mutex_);
  base::Rng rng(seed);
  const uint64_t mood = rng.Below(11);
  Names left;
  Names all = synced_names_;
  all.insert(names_.begin(), names_.end());
  for (const auto& [path, inode] : all) {
    const auto now = names_.find(path);
    const auto synced = synced_names_.find(path);
    const bool as_now = rng.Below(10) < mood;
    const auto& from = as_now ? names_ : synced_names_;
    const auto found = as_now ? now : synced;
    // What is in a folder that is lost is lost with it.
    if (found != from.end() && (path == "." || left.contains(FolderOf(path)))) {
      left.emplace(path, found->second);
    }
  }
  std::map<Inode*, bool> settled;
  for (const auto& [path, inode] : left) {
    if (inode == nullptr || !settled.emplace(inode.get(), true).second) continue;
    inode->bytes = AfterCut(inode->synced, inode->bytes, mood, &rng);
    inode->synced = inode->bytes;
  }
  names_ = left;
  synced_names_ = std::move(left);
  off_ = false;
  cut_at_ = UINT64_MAX;
  ++lives_;
}

void CrashDisk::Restart() {
  const base::MutexLock lock(&mutex_);
  off_ = false;
  cut_at_ = UINT64_MAX;
  ++lives_;
}

void CrashDisk::SetFull(bool full) {
  const base::MutexLock lock(&mutex_);
  full_ = full;
}

void CrashDisk::FailNextSync(std::string part) {
  const base::MutexLock lock(&mutex_);
  failing_sync_ = std::move(part);
}

void CrashDisk::Flip(const std::string& path, uint64_t offset) {
  const base::MutexLock lock(&mutex_);
  Inode& inode = *names_.at(path);
  CHECK(offset < inode.bytes.size());
  inode.bytes[offset] = static_cast<char>(inode.bytes[offset] ^ 0x10);
  inode.synced = inode.bytes;
}

absl::Status CrashDisk::On() const { return off_ ? PowerOff() : absl::OkStatus(); }

absl::Status CrashDisk::Change() {
  if (off_) return PowerOff();
  ++operations_;
  if (operations_ >= cut_at_) off_ = true;
  return On();
}

absl::StatusOr<std::unique_ptr<io::File>> CrashDisk::Open(const std::string& path,
                                                          io::OpenMode mode) {
  const base::MutexLock lock(&mutex_);
  PANDO_RETURN_IF_ERROR(On());
  const auto found = names_.find(path);
  if (mode == io::OpenMode::kCreate) {
    if (found != names_.end()) return absl::AlreadyExistsError(path);
    if (!names_.contains(FolderOf(path))) return absl::NotFoundError(FolderOf(path));
    if (full_) return Full(path);
    PANDO_RETURN_IF_ERROR(Change());
    const auto inode = std::make_shared<Inode>();
    names_.emplace(path, inode);
    return std::make_unique<CrashFile>(this, path, inode, lives_);
  }
  if (found == names_.end() || found->second == nullptr) return absl::NotFoundError(path);
  return std::make_unique<CrashFile>(this, path, found->second, lives_);
}

absl::StatusOr<std::vector<std::string>> CrashDisk::List(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  PANDO_RETURN_IF_ERROR(On());
  if (!names_.contains(dir)) return absl::NotFoundError(dir);
  std::vector<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (path == "." || FolderOf(path) != dir) continue;
    names.push_back(dir == "." ? path : path.substr(dir.size() + 1));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status CrashDisk::MakeDir(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  for (size_t slash = dir.find('/');; slash = dir.find('/', slash + 1)) {
    const std::string folder = dir.substr(0, slash);
    if (!names_.contains(folder)) {
      PANDO_RETURN_IF_ERROR(Change());
      names_.emplace(folder, nullptr);
    }
    if (slash == std::string::npos) return On();
  }
}

absl::Status CrashDisk::Rename(const std::string& from, const std::string& to) {
  const base::MutexLock lock(&mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return absl::NotFoundError(from);
  PANDO_RETURN_IF_ERROR(Change());
  names_[to] = found->second;
  names_.erase(from);
  return absl::OkStatus();
}

absl::Status CrashDisk::Delete(const std::string& path) {
  const base::MutexLock lock(&mutex_);
  if (!names_.contains(path)) return absl::NotFoundError(path);
  PANDO_RETURN_IF_ERROR(Change());
  names_.erase(path);
  return absl::OkStatus();
}

absl::Status CrashDisk::DeleteTree(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  PANDO_RETURN_IF_ERROR(Change());
  std::erase_if(names_, [&](const auto& name) {
    return name.first == dir || name.first.starts_with(dir + "/");
  });
  return absl::OkStatus();
}

absl::Status CrashDisk::SyncDir(const std::string& dir) {
  const base::MutexLock lock(&mutex_);
  if (!names_.contains(dir)) return absl::NotFoundError(dir);
  PANDO_RETURN_IF_ERROR(Change());
  const auto in_dir = [&](const std::string& path) { return path != "." && FolderOf(path) == dir; };
  std::erase_if(synced_names_, [&](const auto& name) { return in_dir(name.first); });
  for (const auto& [path, inode] : names_) {
    if (in_dir(path)) synced_names_[path] = inode;
  }
  return absl::OkStatus();
}

}  // namespace pando::store
