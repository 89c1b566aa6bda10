// Peers: the seam to the other servers. Messages may be lost, delayed, repeated and reordered, but
// not altered. Calls never block; what arrives comes to the Inbox as PeerMessage, and a broken
// stream as PeerLost. Called by the core thread only.
#ifndef PANDO_IO_PEERS_H_
#define PANDO_IO_PEERS_H_

#include "model/ids.h"
#include "raft/message.h"

namespace pando::io {

class Peers {
 public:
  virtual ~Peers() = default;
  virtual void Send(model::ServerId to, raft::Message message) = 0;
};

}  // namespace pando::io

#endif  // PANDO_IO_PEERS_H_
