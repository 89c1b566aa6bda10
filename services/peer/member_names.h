// MemberNames: whether a caller's certificate is that of the server it says it is.
//
// A certificate of the right CA is not enough: a client may have one, and so has every other
// server. It must have the host of the caller's own address as a name; and where the caller's id is
// a member's, the host at which this server knows that member. Thread-safe.
#ifndef PANDO_PEER_MEMBER_NAMES_H_
#define PANDO_PEER_MEMBER_NAMES_H_

#include <grpcpp/security/auth_context.h>

#include <string>
#include <vector>

#include "base/mutex.h"
#include "io/peers.h"

namespace pando::peer {

class MemberNames {
 public:
  // Whom this server knows.
  void Set(std::vector<io::PeerAddress> members) PANDO_EXCLUDES(mutex_);

  // "" if the certificate of `connection` is one of the server that says `hello`; else why not.
  std::string WhyNot(const grpc::AuthContext& connection, const io::PeerHello& hello) const
      PANDO_EXCLUDES(mutex_);

 private:
  mutable base::Mutex mutex_;
  std::vector<io::PeerAddress> members_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::peer

#endif  // PANDO_PEER_MEMBER_NAMES_H_
