// Handshakes: whose connection it is that a certificate was shown on.
//
// gRPC tells a verifier nothing of the connection. But each of a server's external acceptors, its
// doors here, has credentials of its own, and so a verifier of its own. Where only one connection
// at a time shakes hands at a door, whoever is judged there is that one. While more do than there
// are doors, the others share one, where nobody is known. Thread-safe.
#ifndef PANDO_TRANSPORT_HANDSHAKES_H_
#define PANDO_TRANSPORT_HANDSHAKES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "transport/given_socket.h"

namespace pando::transport {

class Handshakes {
 public:
  // The shared door is one of them.
  explicit Handshakes(size_t doors);

  size_t doors() const { return own_.size() + 1; }
  // At which door gRPC shall be given `fd`, which is `caller`.
  size_t Begin(int fd, std::string caller) PANDO_EXCLUDES(mutex_);
  // A certificate is judged there: who it is; "": not known. The door is free again.
  std::string Judge(size_t door) PANDO_EXCLUDES(mutex_);

 private:
  struct Guest {
    GivenSocket socket;
    std::string caller;
  };

  base::Mutex mutex_;
  std::vector<std::optional<Guest>> own_ PANDO_GUARDED_BY(mutex_);  // the last door is not in it
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_HANDSHAKES_H_
