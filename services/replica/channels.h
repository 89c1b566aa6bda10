// Channels: the incoming channels of a replica, and whose they are. Of one peer only the newest
// counts: what still comes in an older one is of a life that is over.
//
// Owned by the replica.
#ifndef PANDO_REPLICA_CHANNELS_H_
#define PANDO_REPLICA_CHANNELS_H_

#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "io/peers.h"
#include "model/ids.h"

namespace pando::replica {

class Channels {
 public:
  struct Channel {
    io::ChannelId id;
    io::PeerHello hello;
  };

  // False: it is of an earlier life of the peer than one that is known, and does not count.
  bool Open(io::ChannelId id, io::PeerHello hello) {
    const auto [place, fresh] = by_peer_.try_emplace(hello.id);
    Channel& newest = place->second;
    if (!fresh && newest.hello.storage == hello.storage && newest.hello.start > hello.start) {
      return false;
    }
    newest = {id, std::move(hello)};
    return true;
  }
  // The peer was let in: should it be removed, it does not ask again on this channel.
  void LetIn(model::ServerId peer, model::StorageId storage) {
    const auto found = by_peer_.find(peer);
    if (found != by_peer_.end() && found->second.hello.storage == storage) {
      found->second.hello.joins = false;
    }
  }
  // Null: it does not count, or not any more.
  const io::PeerHello* Find(io::ChannelId id) const {
    for (const auto& [peer, channel] : by_peer_) {
      if (channel.id == id) return &channel.hello;
    }
    return nullptr;
  }
  const io::PeerHello* Of(model::ServerId peer) const {
    const auto found = by_peer_.find(peer);
    return found == by_peer_.end() ? nullptr : &found->second.hello;
  }
  // The peer whose newest channel it was; none: it did not count.
  model::ServerId Close(io::ChannelId id) {
    for (auto at = by_peer_.begin(); at != by_peer_.end(); ++at) {
      if (at->second.id != id) continue;
      const model::ServerId peer = at->first;
      by_peer_.erase(at);
      return peer;
    }
    return {};
  }
  // By peer. There are as many as members, or little more.
  const absl::btree_map<model::ServerId, Channel>& all() const { return by_peer_; }

 private:
  absl::btree_map<model::ServerId, Channel> by_peer_;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_CHANNELS_H_
