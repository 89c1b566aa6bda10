// Network: everybody's channels to everybody, in memory under virtual time (io/peers.h), with the
// faults of real ones and worse.
//
// A channel is in order while it lasts, and what is under way when it breaks is lost. A blocked
// direction holds back what is sent over it: if the block ends before somebody notices, all of it
// arrives late, and otherwise the channel breaks. A server that is killed resets its channels; one
// that loses its power is silent, which is noticed only later.
//
// Raft's messages are moreover lost, repeated and reordered one by one, which no stream does: Raft
// has to be safe and live all the same. Other messages are never lost but by a break, because their
// senders count on PeerReady.
//
// One test thread. Same calls and seed, same events.
#ifndef PANDO_SIM_NETWORK_H_
#define PANDO_SIM_NETWORK_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "io/event.h"
#include "io/install.h"
#include "io/peers.h"
#include "model/ids.h"
#include "sim/schedule.h"

namespace pando::sim {

struct NetworkFaults {
  base::Duration delay_min = std::chrono::microseconds(50);
  base::Duration delay_max = std::chrono::microseconds(500);
  // Of a thousand of Raft's messages, each by itself.
  uint64_t drop = 0;
  uint64_t duplicate = 0;
  uint64_t reorder = 0;  // it takes up to `reorder_delay_max` longer, and others overtake it
  base::Duration reorder_delay_max = std::chrono::milliseconds(100);
  // Of a thousand sends, and of a thousand chunks of a snapshot: the channel breaks.
  uint64_t break_channel = 0;
  // Until a channel over a blocked direction, or to a server that is silent, is known to be dead.
  base::Duration silence_max = std::chrono::seconds(3);
};

struct NetworkTotals {
  uint64_t sent = 0;  // messages
  uint64_t dropped = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t held_back = 0;  // by a block
  uint64_t channels_opened = 0;
  uint64_t channels_broken = 0;
  uint64_t refusals = 0;
  uint64_t snapshots_sent = 0;
  uint64_t snapshots_broken = 0;
};

class Network {
 public:
  // One running server, as others reach it.
  struct Port {
    model::ServerId id;
    std::string address;
    std::function<void(io::Event)> post;
    // Somebody sends a snapshot of this; null: it is not wanted.
    std::function<std::unique_ptr<io::SnapshotReceiver>(const io::StateMark&)> receive;
  };
  // What a server is told, and what it says; for traces.
  using Probe =
      std::function<void(model::ServerId from, model::ServerId to, const io::PeerMessage&)>;

  // `schedule` outlives it.
  Network(Schedule* schedule, base::Rng rng, NetworkFaults faults);
  ~Network();

  // The server runs, with these Peers, until Leave. REQUIRES: it does not run.
  std::unique_ptr<io::Peers> Join(Port port);
  // Its channels are reset at once, or, if `silent`, noticed to be dead later.
  void Leave(model::ServerId id, bool silent);

  void SetFaults(NetworkFaults faults) { faults_ = faults; }
  // Nothing gets from `from` to `to` any more.
  void Block(model::ServerId from, model::ServerId to);
  void Unblock(model::ServerId from, model::ServerId to);
  void UnblockAll();
  bool Blocked(model::ServerId from, model::ServerId to) const {
    return blocked_.contains({from, to});
  }
  // The channel from `from` to `to`, if there is one, breaks now.
  void Break(model::ServerId from, model::ServerId to);

  void SetProbe(Probe probe) { probe_ = std::move(probe); }
  const NetworkTotals& totals() const { return totals_; }

 private:
  class SimPeers;
  class SnapshotSink;
  struct Server;
  struct Channel;
  struct Transfer;
  using Pair = std::pair<model::ServerId, model::ServerId>;

  base::Duration Delay();
  base::Duration Uniform(base::Duration low, base::Duration high);
  Server* Find(model::ServerId id);
  // The server still runs that ran when something was planned for it.
  Server* Find(model::ServerId id, uint64_t life);
  // None: nobody is there now.
  model::ServerId IdAt(const std::string& address) const;
  void Tell(model::ServerId id, uint64_t life, base::Duration delay, io::Event event);

  void SetPeers(Server& server, io::PeerHello hello, std::vector<io::PeerAddress> peers);
  void PlanConnect(model::ServerId from, model::ServerId to, base::Duration delay);
  void Connect(Server& from, model::ServerId to);
  void Send(Server& from, model::ServerId to, std::vector<io::PeerMessage> messages);
  void Post(const std::shared_ptr<Channel>& channel, std::vector<io::PeerMessage> messages,
            base::Duration delay, bool in_order);
  void Arrive(const std::shared_ptr<Channel>& channel, io::Event event);
  void Refuse(Server& server, io::ChannelId channel, io::Refusal refusal, std::string detail);
  // Both ends learn of it after a delay; null: it was closed already.
  void BreakChannel(const std::shared_ptr<Channel>& channel);
  void PlanBreak(const std::shared_ptr<Channel>& channel);

  std::shared_ptr<io::ScanSink> SendSnapshot(Server& from, model::ServerId to);
  void EndTransfer(const std::shared_ptr<Transfer>& transfer, bool good);

  Schedule* const schedule_;
  base::Rng rng_;
  NetworkFaults faults_;
  uint64_t last_life_ = 0;
  uint64_t last_channel_ = 0;
  std::map<model::ServerId, std::unique_ptr<Server>> servers_;
  std::map<Pair, std::shared_ptr<Channel>> channels_;
  std::set<Pair> connecting_;
  std::set<Pair> blocked_;
  Probe probe_;
  NetworkTotals totals_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_NETWORK_H_
