// GivenSocket: a socket that somebody else closes, and tells nobody. Its descriptor's number says
// it: it leads to no socket any more, or to another one.
#ifndef PANDO_TRANSPORT_GIVEN_SOCKET_H_
#define PANDO_TRANSPORT_GIVEN_SOCKET_H_

#include <sys/types.h>

namespace pando::transport {

class GivenSocket {
 public:
  // `fd` is open, and somebody else is about to get it.
  explicit GivenSocket(int fd);
  bool IsOpen() const;

 private:
  int fd_;
  ino_t inode_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_GIVEN_SOCKET_H_
