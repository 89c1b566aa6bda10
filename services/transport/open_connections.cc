#include "transport/open_connections.h"

#include <sys/stat.h>

#include "base/check.h"

namespace pando::transport {

void OpenConnections::Add(int fd) {
  struct stat now {};
  CHECK(fstat(fd, &now) == 0);
  sockets_.push_back({fd, now.st_ino});
}

void OpenConnections::Count() {
  std::erase_if(sockets_, [](const Socket& socket) {
    struct stat now {};
    return fstat(socket.fd, &now) != 0 || now.st_ino != socket.inode;
  });
}

}  // namespace pando::transport
