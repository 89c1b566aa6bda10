#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace pando::cli {
namespace {

// A descriptor that is closed with its owner; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// The size that stat tells is only a hint: files in /proc say 0, and a file may grow.
absl::StatusOr<std::string> ReadAll(int fd, const std::string& path, size_t bytes_max) {
  constexpr size_t kStep = 64 << 10;
  std::string bytes;
  for (;;) {
    const size_t have = bytes.size();
    bytes.resize(std::min(have + kStep, bytes_max + 1));
    const ssize_t got = ::read(fd, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno != EINTR) return LocalError("cannot read", path, errno);
    bytes.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return bytes;
    if (bytes.size() > bytes_max) {
      return absl::OutOfRangeError(absl::StrCat(path, " has more than ", bytes_max, " bytes"));
    }
  }
}

}  // namespace

absl::Status LocalError(std::string_view what, const std::string& path, int error_number) {
  const std::string words =
      absl::StrCat(base::View(what), " ", path, ": ", std::strerror(error_number));
  const bool disk_full = error_number == ENOSPC || error_number == EDQUOT;
  return disk_full ? absl::ResourceExhaustedError(words) : absl::InternalError(words);
}

absl::StatusOr<std::string> ReadRegularFile(const std::string& path, size_t bytes_max) {
  // O_NONBLOCK: a FIFO that took the file's place must not hang us before fstat sees it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return LocalError("cannot read", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return LocalError("cannot read", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return absl::InternalError(absl::StrCat("cannot read ", path, ": not a regular file"));
  }
  return ReadAll(file.get(), path, bytes_max);
}

absl::StatusOr<std::string> ReadInput(const std::string& path, size_t bytes_max) {
  if (path == "-") return ReadAll(STDIN_FILENO, "the standard input", bytes_max);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return LocalError("cannot read", path, errno);
  return ReadAll(file.get(), path, bytes_max);
}

absl::Status ReadInParts(const std::string& path,
                         const std::function<absl::Status(std::string_view)>& take) {
  const bool is_stdin = path == "-";
  const Descriptor file(is_stdin ? ::dup(STDIN_FILENO)
                                 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string name = is_stdin ? "the standard input" : path;
  if (file.get() < 0) return LocalError("cannot read", name, errno);
  constexpr size_t kPart = 256 << 10;
  const auto buffer = std::make_unique<char[]>(kPart);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.get(), kPart);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return LocalError("cannot read", name, errno);
    if (got == 0) return absl::OkStatus();
    PANDO_RETURN_IF_ERROR(take({buffer.get(), static_cast<size_t>(got)}));
  }
}

absl::Status WriteAll(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno != EINTR) return LocalError("cannot write", path, errno);
    if (put > 0) bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status WriteRegularFile(const std::string& path, std::string_view bytes) {
  constexpr mode_t kMode = 0666;  // less the umask
  // O_NONBLOCK: a FIFO that is there already must be an error, not a wait for its reader.
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Descriptor file(::open(path.c_str(), kFlags, kMode));
  if (file.get() < 0) return LocalError("cannot write", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return LocalError("cannot write", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return absl::InternalError(absl::StrCat("cannot write ", path, ": not a regular file"));
  }
  PANDO_RETURN_IF_ERROR(WriteAll(file.get(), path, bytes));
  // Some file systems tell of a full disk only here.
  if (::close(file.Release()) != 0) return LocalError("cannot write", path, errno);
  return absl::OkStatus();
}

}  // namespace pando::cli
