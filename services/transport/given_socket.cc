#include "transport/given_socket.h"

#include <sys/stat.h>

#include "base/check.h"

namespace pando::transport {

GivenSocket::GivenSocket(int fd) : fd_(fd) {
  struct stat now {};
  CHECK(fstat(fd, &now) == 0);
  inode_ = now.st_ino;
}

bool GivenSocket::IsOpen() const {
  struct stat now {};
  return fstat(fd_, &now) == 0 && now.st_ino == inode_;
}

}  // namespace pando::transport
