#include "posix/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pando::posix {
namespace {

constexpr char kName[] = "lock";
constexpr mode_t kMode = 0600;

// " (process 123)", as the holder wrote it, or nothing: it may not have come to that, or be of
// another PID namespace, where the number means nothing here. It only helps who reads the message.
std::string Holder(int file) {
  char text[32];
  const ssize_t size = ::pread(file, text, sizeof(text), 0);
  if (size <= 0 || size == sizeof(text)) return "";
  const absl::string_view pid =
      absl::StripSuffix(absl::string_view(text, static_cast<size_t>(size)), "\n");
  if (pid.empty() || pid.find_first_not_of("0123456789") != absl::string_view::npos) return "";
  return absl::StrCat(" (process ", pid, ")");
}

void WriteHolder(int file) {
  const std::string pid = absl::StrCat(::getpid(), "\n");
  // A full disk must not keep a server from starting; then the message goes without a number.
  if (::ftruncate(file, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(file, pid.data(), pid.size(), 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Lock>> Lock::Acquire(const PosixDisk& disk) {
  const std::string path = absl::StrCat(disk.data_dir(), "/", kName);
  Descriptor file(::openat(disk.descriptor(), kName, O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (!file.ok()) return ErrnoStatus(errno, "open", path);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "flock", path);
    return absl::FailedPreconditionError(absl::StrCat("the data dir ", disk.data_dir(),
                                                      " is locked: in use by another process",
                                                      Holder(file.get())));
  }
  WriteHolder(file.get());
  return std::unique_ptr<Lock>(new Lock(std::move(file)));
}

}  // namespace pando::posix
