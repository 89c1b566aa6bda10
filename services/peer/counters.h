// Counters: what went to and came from one peer since the start, and CountersByPeer: everybody's.
// Thread-safe.
#ifndef PANDO_PEER_COUNTERS_H_
#define PANDO_PEER_COUNTERS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "io/peers.h"
#include "model/ids.h"

namespace pando::peer {

struct Counters {
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<uint64_t> sent_messages{0};
  std::atomic<uint64_t> dropped_messages{0};
  std::atomic<uint64_t> received_bytes{0};
  std::atomic<uint64_t> received_messages{0};
  std::atomic<uint64_t> opened{0};  // channels to it
  std::atomic<uint64_t> broken{0};  // of those
};

class CountersByPeer {
 public:
  // Those of a peer; all who are not in SetPeers have one together.
  std::shared_ptr<Counters> Of(model::ServerId peer) const PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    const auto found = by_peer_.find(peer);
    return found == by_peer_.end() ? others_ : found->second;
  }
  // Begins to count for each that is new, and forgets whoever is none of them any more.
  void SetPeers(const std::vector<io::PeerAddress>& peers) PANDO_EXCLUDES(mutex_) {
    base::MutexLock lock(&mutex_);
    auto before = std::exchange(by_peer_, {});
    for (const io::PeerAddress& peer : peers) {
      if (!peer.id) continue;
      std::shared_ptr<Counters>& counters = before[peer.id];
      if (counters == nullptr) counters = std::make_shared<Counters>();
      by_peer_[peer.id] = counters;
    }
  }

 private:
  mutable base::Mutex mutex_;
  absl::flat_hash_map<model::ServerId, std::shared_ptr<Counters>> by_peer_ PANDO_GUARDED_BY(mutex_);
  const std::shared_ptr<Counters> others_ = std::make_shared<Counters>();
};

}  // namespace pando::peer

#endif  // PANDO_PEER_COUNTERS_H_
