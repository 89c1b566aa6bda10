#include "transport/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace pando::transport {
namespace {

absl::Status Failed(std::string_view call, int error) {
  return absl::UnavailableError(absl::StrCat(base::View(call), ": ", std::strerror(error)));
}

absl::StatusOr<int> Make(std::string_view contents) {
  const int fd = memfd_create("pando", MFD_CLOEXEC);
  if (fd < 0) return Failed("memfd_create", errno);
  size_t written = 0;
  while (written < contents.size()) {
    const ssize_t n = write(fd, contents.data() + written, contents.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      close(fd);
      return Failed("write of a file in memory", error);
    }
    written += static_cast<size_t>(n);
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryFile>> MemoryFile::Create(std::string_view contents) {
  const absl::StatusOr<int> fd = Make(contents);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<MemoryFile>(new MemoryFile(*fd));
}

MemoryFile::~MemoryFile() { close(fd_); }

std::string MemoryFile::path() const { return absl::StrCat("/proc/self/fd/", fd_); }

absl::Status MemoryFile::Replace(std::string_view contents) {
  const absl::StatusOr<int> fresh = Make(contents);
  if (!fresh.ok()) return fresh.status();
  // Atomic: the number, and so the path, leads to the one file or to the other.
  const int done = dup3(*fresh, fd_, O_CLOEXEC);
  const int error = errno;
  close(*fresh);
  return done < 0 ? Failed("dup3", error) : absl::OkStatus();
}

}  // namespace pando::transport
