#include "posix/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::posix {
namespace {

// Nobody else's: sessions' tokens and every node's data are in there.
constexpr mode_t kDirMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr int kOpenDir = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr uint64_t kStatBlockBytes = 512;  // of st_blocks, whatever the file system's are

off_t ToOffset(uint64_t offset) {
  CHECK(offset <= static_cast<uint64_t>(std::numeric_limits<off_t>::max()));
  return static_cast<off_t>(offset);
}

// An absolute path would be resolved from somewhere else.
bool IsRelative(std::string_view path) { return !path.empty() && path.front() != '/'; }

// What nobody knows the extent of. Never RESOURCE_EXHAUSTED, even if a full disk was the reason:
// that would read as "nothing was written, try again".
absl::Status SyncFailed(int error, std::string_view call, std::string_view path) {
  const absl::Status status = ErrnoStatus(error, call, path);
  return absl::DataLossError(status.message());
}

class PosixFile : public io::File {
 public:
  // `name` is for messages.
  PosixFile(std::string name, Descriptor file) : name_(std::move(name)), file_(std::move(file)) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = ::pwrite(file_.get(), bytes.data(), bytes.size(), ToOffset(offset));
      if (done < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus(errno, "write", name_);
      }
      CHECK(done > 0);
      bytes.remove_prefix(static_cast<size_t>(done));
      offset += static_cast<uint64_t>(done);
    }
    return absl::OkStatus();
  }

  absl::Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    const size_t before = out->size();
    out->resize(before + size);
    size_t read = 0;
    while (read < size) {
      const ssize_t got =
          ::pread(file_.get(), out->data() + before + read, size - read, ToOffset(offset + read));
      if (got < 0) {
        if (errno == EINTR) continue;
        const int error = errno;
        out->resize(before);
        return ErrnoStatus(error, "read", name_);
      }
      if (got == 0) break;
      read += static_cast<size_t>(got);
    }
    out->resize(before + read);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    // Once only, whatever it says: the kernel reports a lost page to one sync, and the next is
    // fine.
    if (::fdatasync(file_.get()) != 0) return SyncFailed(errno, "fdatasync", name_);
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    while (::ftruncate(file_.get(), ToOffset(size)) != 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "truncate", name_);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) return ErrnoStatus(errno, "stat", name_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const std::string name_;
  const Descriptor file_;
};

int Flags(io::OpenMode mode) {
  switch (mode) {
    case io::OpenMode::kRead:
      return O_RDONLY | O_CLOEXEC;
    case io::OpenMode::kReadWrite:
      return O_RDWR | O_CLOEXEC;
    case io::OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  }
  CHECK(false);
}

// The prefixes of `path` that are folders to be: "a", "a/b", "a/b/c" for "a/b/c".
std::vector<std::string> Prefixes(const std::string& path) {
  std::vector<std::string> prefixes;
  for (size_t end = 1; end <= path.size(); ++end) {
    if (end < path.size() && path[end] != '/') continue;
    if (path[end - 1] != '/') prefixes.push_back(path.substr(0, end));
  }
  return prefixes;
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// `path` is for messages.
absl::Status SyncFolder(int at, const std::string& dir, const std::string& path) {
  const Descriptor folder(::openat(at, dir.c_str(), kOpenDir));
  if (!folder.ok()) return ErrnoStatus(errno, "open", path);
  if (::fsync(folder.get()) != 0) return SyncFailed(errno, "fsync", path);
  return absl::OkStatus();
}

// Makes the data dir and its parents so that they are there after a crash: everything that will be
// promised is in them.
absl::Status MakeDataDir(const std::string& data_dir) {
  for (const std::string& dir : Prefixes(data_dir)) {
    if (::mkdir(dir.c_str(), kDirMode) != 0) {
      // Not EEXIST alone: of a parent that is there, some file systems say that it cannot be made.
      struct stat info {};
      const int error = errno;
      if (::stat(dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
      return ErrnoStatus(error, "mkdir", dir);
    }
    const std::string parent = Parent(dir);
    const absl::Status synced = SyncFolder(AT_FDCWD, parent, parent);
    // A folder that may be entered but not read cannot be synced by us, and need not be ours.
    if (!synced.ok() && !absl::IsPermissionDenied(synced)) return synced;
  }
  return absl::OkStatus();
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using OpenDir = std::unique_ptr<DIR, CloseDir>;

// Null with errno set if it fails. A link to a folder is none.
OpenDir OpenFolder(int at, const char* name, int flags = O_NOFOLLOW) {
  Descriptor folder(::openat(at, name, kOpenDir | flags));
  if (!folder.ok()) return nullptr;
  OpenDir dir(::fdopendir(folder.get()));
  if (dir != nullptr) static_cast<void>(folder.Release());  // the DIR closes it now
  return dir;
}

// Names in it, in no order; errno, or 0.
int NamesIn(DIR* dir, std::vector<std::string>* names) {
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(dir);
    if (entry == nullptr) return errno;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names->emplace_back(name);
  }
}

// A folder and all in it, or a file. What is gone already is fine. errno, or 0.
int DeleteAll(int at, const std::string& name) {  // NOLINT(misc-no-recursion): as deep as the tree
  if (::unlinkat(at, name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  const int not_a_file = errno;
  OpenDir dir = OpenFolder(at, name.c_str());
  if (dir == nullptr) return errno == ENOENT ? 0 : errno == ENOTDIR ? not_a_file : errno;
  // Read to its end first: what readdir gives of a folder that changes is anyone's guess.
  std::vector<std::string> names;
  if (const int error = NamesIn(dir.get(), &names); error != 0) return error;
  for (const std::string& child : names) {
    if (const int error = DeleteAll(::dirfd(dir.get()), child); error != 0) return error;
  }
  if (::unlinkat(at, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno;
}

// Adds what is in the open folder. errno, or 0.
int AddUsed(DIR* dir, uint64_t* bytes) {  // NOLINT(misc-no-recursion): as deep as the tree
  std::vector<std::string> names;
  if (const int error = NamesIn(dir, &names); error != 0) return error;
  for (const std::string& name : names) {
    struct stat info {};
    if (::fstatat(::dirfd(dir), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return errno;
    }
    *bytes += static_cast<uint64_t>(info.st_blocks) * kStatBlockBytes;
    if (!S_ISDIR(info.st_mode)) continue;
    const OpenDir child = OpenFolder(::dirfd(dir), name.c_str());
    if (child == nullptr) {
      if (errno == ENOENT || errno == ENOTDIR) continue;
      return errno;
    }
    if (const int error = AddUsed(child.get(), bytes); error != 0) return error;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PosixDisk>> PosixDisk::Open(const std::string& data_dir,
                                                           IfMissing if_missing,
                                                           uint64_t reserve_bytes) {
  if (data_dir.empty()) return absl::InvalidArgumentError("the data dir has no name");
  if (if_missing == IfMissing::kCreate) PANDO_RETURN_IF_ERROR(MakeDataDir(data_dir));
  Descriptor dir(::open(data_dir.c_str(), kOpenDir));
  if (!dir.ok()) return ErrnoStatus(errno, "open", data_dir);
  return std::unique_ptr<PosixDisk>(new PosixDisk(data_dir, std::move(dir), reserve_bytes));
}

PosixDisk::PosixDisk(std::string data_dir, Descriptor dir, uint64_t reserve_bytes)
    : data_dir_(std::move(data_dir)), dir_(std::move(dir)), reserve_bytes_(reserve_bytes) {}

absl::Status PosixDisk::Error(const char* call, const std::string& path) const {
  return ErrnoStatus(errno, call, absl::StrCat(data_dir_, "/", path));
}

absl::StatusOr<std::unique_ptr<io::File>> PosixDisk::Open(const std::string& path,
                                                          io::OpenMode mode) {
  CHECK(IsRelative(path));
  Descriptor file(::openat(dir_.get(), path.c_str(), Flags(mode), kFileMode));
  if (!file.ok()) return Error("open", path);
  return std::make_unique<PosixFile>(absl::StrCat(data_dir_, "/", path), std::move(file));
}

absl::StatusOr<std::vector<std::string>> PosixDisk::List(const std::string& dir) {
  CHECK(IsRelative(dir));
  const OpenDir folder = OpenFolder(dir_.get(), dir.c_str(), /*flags=*/0);
  if (folder == nullptr) return Error("list", dir);
  std::vector<std::string> names;
  if (NamesIn(folder.get(), &names) != 0) return Error("list", dir);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixDisk::MakeDir(const std::string& dir) {
  CHECK(IsRelative(dir));
  for (const std::string& prefix : Prefixes(dir)) {
    if (::mkdirat(dir_.get(), prefix.c_str(), kDirMode) == 0) continue;
    struct stat info {};
    if (errno != EEXIST) return Error("mkdir", prefix);
    if (::fstatat(dir_.get(), prefix.c_str(), &info, 0) != 0) return Error("stat", prefix);
    errno = ENOTDIR;
    if (!S_ISDIR(info.st_mode)) return Error("mkdir", prefix);
  }
  return absl::OkStatus();
}

absl::Status PosixDisk::Rename(const std::string& from, const std::string& to) {
  CHECK(IsRelative(from));
  CHECK(IsRelative(to));
  if (::renameat(dir_.get(), from.c_str(), dir_.get(), to.c_str()) != 0) {
    return Error("rename", from);
  }
  return absl::OkStatus();
}

absl::Status PosixDisk::Delete(const std::string& path) {
  CHECK(IsRelative(path));
  if (::unlinkat(dir_.get(), path.c_str(), 0) != 0) return Error("delete", path);
  return absl::OkStatus();
}

absl::Status PosixDisk::DeleteTree(const std::string& dir) {
  CHECK(IsRelative(dir));
  // The data dir itself stays, as does what is around it.
  CHECK(dir != ".");
  CHECK(!dir.starts_with(".."));
  const int error = DeleteAll(dir_.get(), dir);
  return error == 0 ? absl::OkStatus()
                    : ErrnoStatus(error, "delete", absl::StrCat(data_dir_, "/", dir));
}

absl::Status PosixDisk::SyncDir(const std::string& dir) {
  CHECK(IsRelative(dir));
  return SyncFolder(dir_.get(), dir, absl::StrCat(data_dir_, "/", dir));
}

absl::StatusOr<uint64_t> PosixDisk::FreeBytes() {
  struct statvfs info {};
  if (::fstatvfs(dir_.get(), &info) != 0) return ErrnoStatus(errno, "statvfs", data_dir_);
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  return free > reserve_bytes_ ? free - reserve_bytes_ : 0;
}

absl::StatusOr<uint64_t> PosixDisk::UsedBytes() const {
  uint64_t bytes = 0;
  // Not dir_ itself: a folder's reading position is the descriptor's, and this is thread-safe.
  const OpenDir dir = OpenFolder(dir_.get(), ".");
  const int error = dir == nullptr ? errno : AddUsed(dir.get(), &bytes);
  if (error != 0) return ErrnoStatus(error, "list", data_dir_);
  return bytes;
}

}  // namespace pando::posix
