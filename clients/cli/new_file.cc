#include "cli/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/files.h"

namespace pando::cli {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The new name is on disk.
absl::Status SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return LocalError("cannot sync", folder, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error == 0 ? absl::OkStatus() : LocalError("cannot sync", folder, error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NewFile>> NewFile::Create(const std::string& path) {
  struct stat there {};
  // A device or a pipe must not be replaced by a file, nor a folder be written into.
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " is there and no regular file: name a file, or - for the standard "
                     "output"));
  }
  std::string unfinished = absl::StrCat(path, ".XXXXXX");
  const int fd = ::mkostemp(unfinished.data(), O_CLOEXEC);
  if (fd < 0) return LocalError("cannot write", path, errno);
  return std::unique_ptr<NewFile>(new NewFile(path, std::move(unfinished), fd));
}

NewFile::NewFile(std::string path, std::string unfinished, int fd)
    : path_(std::move(path)), unfinished_(std::move(unfinished)), fd_(fd) {}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(unfinished_.c_str());
}

absl::Status NewFile::Write(std::string_view bytes) { return WriteAll(fd_, path_, bytes); }

absl::Status NewFile::StartAgain() {
  if (::ftruncate(fd_, 0) == 0 && ::lseek(fd_, 0, SEEK_SET) == 0) return absl::OkStatus();
  return LocalError("cannot write", path_, errno);
}

absl::Status NewFile::Finish() {
  if (::fsync(fd_) != 0) return LocalError("cannot write", path_, errno);
  if (::rename(unfinished_.c_str(), path_.c_str()) != 0) {
    return LocalError("cannot write", path_, errno);
  }
  ::close(std::exchange(fd_, -1));
  return SyncFolder(FolderOf(path_));
}

}  // namespace pando::cli
