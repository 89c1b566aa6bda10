// OpenConnections: how many of the sockets that were given to gRPC are still open. Used by one
// thread.
#ifndef PANDO_TRANSPORT_OPEN_CONNECTIONS_H_
#define PANDO_TRANSPORT_OPEN_CONNECTIONS_H_

#include <cstddef>
#include <vector>

#include "transport/given_socket.h"

namespace pando::transport {

class OpenConnections {
 public:
  // `fd` is open, and somebody else is about to get it.
  void Add(int fd);
  // Forgets those that are closed.
  void Count();
  // Never too few: with those that were closed since the last Count().
  size_t size() const { return sockets_.size(); }

 private:
  std::vector<GivenSocket> sockets_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_OPEN_CONNECTIONS_H_
