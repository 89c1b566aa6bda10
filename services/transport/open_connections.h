// OpenConnections: how many of the sockets that were given away are still open.
//
// gRPC tells nobody when it closes one. A descriptor's number says it: it leads to no socket any
// more, or to another one. Used by one thread.
#ifndef PANDO_TRANSPORT_OPEN_CONNECTIONS_H_
#define PANDO_TRANSPORT_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

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
  struct Socket {
    int fd;
    ino_t inode;
  };
  std::vector<Socket> sockets_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_OPEN_CONNECTIONS_H_
