#include "transport/open_connections.h"

namespace pando::transport {

void OpenConnections::Add(int fd) { sockets_.emplace_back(fd); }

void OpenConnections::Count() {
  std::erase_if(sockets_, [](const GivenSocket& socket) { return !socket.IsOpen(); });
}

}  // namespace pando::transport
