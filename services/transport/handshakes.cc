#include "transport/handshakes.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::transport {

Handshakes::Handshakes(size_t doors) : own_(doors - 1) { CHECK(doors > 0); }

size_t Handshakes::Begin(int fd, std::string caller) {
  base::MutexLock lock(&mutex_);
  // gRPC closes a socket after the last call of its verifier: nobody else can be judged there.
  const auto free = std::find_if(own_.begin(), own_.end(), [](const std::optional<Guest>& guest) {
    return !guest || !guest->socket.IsOpen();
  });
  if (free != own_.end()) *free = Guest{GivenSocket(fd), std::move(caller)};
  return static_cast<size_t>(free - own_.begin());
}

std::string Handshakes::Judge(size_t door) {
  CHECK(door < doors());
  base::MutexLock lock(&mutex_);
  if (door == own_.size() || !own_[door]) return {};
  std::string caller = std::move(own_[door]->caller);
  own_[door].reset();
  return caller;
}

}  // namespace pando::transport
