#include "sim/network.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"

namespace pando::sim {
namespace {

using std::chrono::milliseconds;

constexpr base::Duration kBackoffMin = milliseconds(10);
constexpr base::Duration kBackoffMax = milliseconds(300);
constexpr base::Duration kRefusedBackoff = milliseconds(1'000);
// Chunks of a snapshot that may be under way.
constexpr size_t kChunksUnderWayMax = 4;
constexpr char kAnonymous[] = "?";

}  // namespace

struct Network::Server {
  uint64_t life = 0;
  Port port;
  io::PeerHello hello;
  std::map<model::ServerId, std::string> wanted;  // with their addresses
};

struct Network::Channel {
  io::ChannelId id;
  model::ServerId from;
  model::ServerId to;
  uint64_t from_life = 0;
  uint64_t to_life = 0;
  bool open = true;
  bool break_planned = false;
  base::Instant last_arrival;
  std::deque<io::Event> held;  // behind a block
};

// A snapshot on its way.
struct Network::Transfer {
  model::ServerId from;
  model::ServerId to;
  uint64_t from_life = 0;
  uint64_t to_life = 0;
  bool ended = false;
  size_t under_way = 0;
  base::Instant last_arrival;
  std::unique_ptr<io::SnapshotReceiver> receiver;
};

// --- The ends -----------------------------------------------------------------------------------

class Network::SimPeers : public io::Peers {
 public:
  SimPeers(Network* network, model::ServerId id, uint64_t life)
      : network_(network), id_(id), life_(life) {}

  void SetPeers(io::PeerHello hello, std::vector<io::PeerAddress> peers) override {
    if (Server* self = network_->Find(id_, life_)) {
      network_->SetPeers(*self, std::move(hello), std::move(peers));
    }
  }
  void Send(model::ServerId to, std::vector<io::PeerMessage> messages) override {
    if (Server* self = network_->Find(id_, life_)) network_->Send(*self, to, std::move(messages));
  }
  void Refuse(io::ChannelId channel, io::Refusal refusal, std::string detail) override {
    if (Server* self = network_->Find(id_, life_)) {
      network_->Refuse(*self, channel, refusal, std::move(detail));
    }
  }
  std::shared_ptr<io::ScanSink> SendSnapshot(model::ServerId to) override {
    Server* const self = network_->Find(id_, life_);
    CHECK(self != nullptr);
    return network_->SendSnapshot(*self, to);
  }

 private:
  Network* const network_;
  const model::ServerId id_;
  const uint64_t life_;
};

// The sender's end of a snapshot: what it is given arrives over there a little later.
class Network::SnapshotSink : public io::ScanSink {
 public:
  SnapshotSink(Network* network, std::shared_ptr<Transfer> transfer)
      : network_(network), transfer_(std::move(transfer)) {}

  void Begin(const io::StateMark& mark) override {
    Plan([mark](Network& network, Transfer& transfer) {
      Server* const to = network.Find(transfer.to, transfer.to_life);
      transfer.receiver = to->port.receive ? to->port.receive(mark) : nullptr;
      return transfer.receiver != nullptr;
    });
  }
  io::Taken Take(model::Revision, const std::vector<model::RecordWrite>& records) override {
    if (transfer_->ended) return io::Taken::kCancelled;
    if (transfer_->under_way >= kChunksUnderWayMax) return io::Taken::kFull;
    Plan([records](Network& network, Transfer& transfer) {
      if (network.rng_.Chance(network.faults_.break_channel)) return false;
      return transfer.receiver != nullptr && transfer.receiver->Take(records).ok();
    });
    return io::Taken::kTaken;
  }
  void Finish(model::Revision, absl::Status status) override {
    if (!status.ok()) return network_->EndTransfer(transfer_, false);
    Plan([](Network&, Transfer& transfer) {
      return transfer.receiver != nullptr && transfer.receiver->Finish().ok();
    });
    Plan([this_network = network_, transfer = transfer_](Network&, Transfer&) {
      this_network->EndTransfer(transfer, true);
      return true;
    });
  }

 private:
  // Over there, after all that was planned before it. False ends the transfer.
  void Plan(std::function<bool(Network&, Transfer&)> step) {
    if (transfer_->ended) return;
    ++transfer_->under_way;
    transfer_->last_arrival =
        std::max(transfer_->last_arrival, network_->schedule_->now() + network_->Delay());
    network_->schedule_->At(transfer_->last_arrival, [network = network_, transfer = transfer_,
                                                      step = std::move(step)] {
      --transfer->under_way;
      if (transfer->ended) return;
      const bool reaches = network->Find(transfer->to, transfer->to_life) != nullptr &&
                           network->Find(transfer->from, transfer->from_life) != nullptr &&
                           !network->Blocked(transfer->from, transfer->to);
      if (!reaches || !step(*network, *transfer)) network->EndTransfer(transfer, false);
    });
  }

  Network* const network_;
  const std::shared_ptr<Transfer> transfer_;
};

// --- Servers ------------------------------------------------------------------------------------

Network::Network(Schedule* schedule, base::Rng rng, NetworkFaults faults)
    : schedule_(schedule), rng_(rng), faults_(faults) {}

Network::~Network() = default;

base::Duration Network::Uniform(base::Duration low, base::Duration high) {
  return base::Duration(static_cast<int64_t>(
      rng_.Between(static_cast<uint64_t>(low.count()), static_cast<uint64_t>(high.count()))));
}
base::Duration Network::Delay() { return Uniform(faults_.delay_min, faults_.delay_max); }

Network::Server* Network::Find(model::ServerId id) {
  const auto found = servers_.find(id);
  return found == servers_.end() ? nullptr : found->second.get();
}
Network::Server* Network::Find(model::ServerId id, uint64_t life) {
  Server* const server = Find(id);
  return server != nullptr && server->life == life ? server : nullptr;
}

model::ServerId Network::IdAt(const std::string& address) const {
  for (const auto& [id, server] : servers_) {
    if (server->port.address == address) return id;
  }
  return {};
}

void Network::Tell(model::ServerId id, uint64_t life, base::Duration delay, io::Event event) {
  schedule_->After(delay, [this, id, life, event = std::move(event)]() mutable {
    if (Server* server = Find(id, life)) server->port.post(std::move(event));
  });
}

std::unique_ptr<io::Peers> Network::Join(Port port) {
  const model::ServerId id = port.id;
  CHECK(Find(id) == nullptr);
  auto server = std::make_unique<Server>();
  server->life = ++last_life_;
  server->port = std::move(port);
  auto peers = std::make_unique<SimPeers>(this, id, server->life);
  servers_.emplace(id, std::move(server));
  // The channels of its last life are answered with a reset, if they are still believed in.
  std::vector<std::shared_ptr<Channel>> stale;
  for (const auto& [pair, channel] : channels_) {
    if (pair.first == id || pair.second == id) stale.push_back(channel);
  }
  for (const auto& channel : stale) BreakChannel(channel);
  return peers;
}

void Network::Leave(model::ServerId id, bool silent) {
  CHECK(Find(id) != nullptr);
  std::vector<std::shared_ptr<Channel>> channels;
  for (const auto& [pair, channel] : channels_) {
    if (pair.first == id || pair.second == id) channels.push_back(channel);
  }
  for (const auto& channel : channels) {
    if (silent) {
      PlanBreak(channel);
    } else {
      BreakChannel(channel);
    }
  }
  servers_.erase(id);
}

// --- Channels -----------------------------------------------------------------------------------

void Network::SetPeers(Server& server, io::PeerHello hello, std::vector<io::PeerAddress> peers) {
  server.hello = std::move(hello);
  std::map<model::ServerId, std::string> wanted;
  for (const io::PeerAddress& peer : peers) {
    const model::ServerId id = peer.id ? peer.id : IdAt(peer.address);
    // A channel to an address is another one than that to a member who is there.
    if (id && id != server.port.id) wanted[id] = peer.address + (peer.id ? "" : kAnonymous);
  }
  std::vector<std::shared_ptr<Channel>> unwanted;
  for (const auto& [pair, channel] : channels_) {
    if (pair.first != server.port.id) continue;
    const auto now = wanted.find(pair.second);
    if (now == wanted.end() || now->second != server.wanted[pair.second]) {
      unwanted.push_back(channel);
    }
  }
  server.wanted = std::move(wanted);
  for (const auto& channel : unwanted) BreakChannel(channel);
  for (const auto& [id, address] : server.wanted) {
    if (!channels_.contains({server.port.id, id})) PlanConnect(server.port.id, id, Delay());
  }
}

void Network::PlanConnect(model::ServerId from, model::ServerId to, base::Duration delay) {
  if (!connecting_.insert({from, to}).second) return;
  schedule_->After(delay, [this, from, to] {
    connecting_.erase({from, to});
    Server* const server = Find(from);
    if (server == nullptr || !server->wanted.contains(to) || channels_.contains({from, to})) return;
    Connect(*server, to);
  });
}

void Network::Connect(Server& from, model::ServerId to) {
  const model::ServerId id = from.port.id;
  Server* const called = Find(to);
  std::string address = from.wanted[to];
  const bool anonymous = address.ends_with(kAnonymous);
  if (anonymous) address.pop_back();
  if (called == nullptr || called->port.address != address || Blocked(id, to)) {
    PlanConnect(id, to, Uniform(kBackoffMin, kBackoffMax));
    return;
  }
  auto channel = std::make_shared<Channel>();
  channel->id = io::ChannelId(++last_channel_);
  channel->from = id;
  channel->to = to;
  channel->from_life = from.life;
  channel->to_life = called->life;
  channel->last_arrival = schedule_->now() + Delay();
  channels_[{id, to}] = channel;
  ++totals_.channels_opened;
  from.port.post(io::PeerReady{anonymous ? model::ServerId() : to});
  schedule_->At(
      channel->last_arrival,
      [this, channel, event = io::Event(io::PeerOpened{channel->id, from.hello})]() mutable {
        Arrive(channel, std::move(event));
      });
}

void Network::Send(Server& from, model::ServerId to, std::vector<io::PeerMessage> messages) {
  const auto found = channels_.find({from.port.id, to});
  if (found == channels_.end() || found->second->from_life != from.life) return;
  const std::shared_ptr<Channel> channel = found->second;
  if (rng_.Chance(faults_.break_channel)) return BreakChannel(channel);
  std::vector<io::PeerMessage> together;
  for (io::PeerMessage& message : messages) {
    ++totals_.sent;
    if (probe_) probe_(from.port.id, to, message);
    if (std::holds_alternative<raft::Message>(message)) {
      if (rng_.Chance(faults_.drop)) {
        ++totals_.dropped;
        continue;
      }
      if (rng_.Chance(faults_.duplicate)) {
        ++totals_.duplicated;
        Post(channel, {message}, Uniform(base::Duration(0), faults_.reorder_delay_max), false);
      }
      if (rng_.Chance(faults_.reorder)) {
        ++totals_.reordered;
        Post(channel, {std::move(message)}, Uniform(base::Duration(0), faults_.reorder_delay_max),
             false);
        continue;
      }
    }
    together.push_back(std::move(message));
  }
  if (!together.empty()) Post(channel, std::move(together), base::Duration(0), true);
}

void Network::Post(const std::shared_ptr<Channel>& channel, std::vector<io::PeerMessage> messages,
                   base::Duration delay, bool in_order) {
  base::Instant at = schedule_->now() + Delay() + delay;
  if (in_order) at = channel->last_arrival = std::max(at, channel->last_arrival);
  // Nothing overtakes the Hello.
  at = std::max(at, channel->last_arrival);
  schedule_->At(at,
                [this, channel,
                 event = io::Event(io::PeerMessages{channel->id, std::move(messages)})]() mutable {
                  Arrive(channel, std::move(event));
                });
}

void Network::Arrive(const std::shared_ptr<Channel>& channel, io::Event event) {
  if (!channel->open) return;
  if (Blocked(channel->from, channel->to) || !channel->held.empty()) {
    ++totals_.held_back;
    channel->held.push_back(std::move(event));
    PlanBreak(channel);
    return;
  }
  if (Server* to = Find(channel->to, channel->to_life)) to->port.post(std::move(event));
}

void Network::Refuse(Server& server, io::ChannelId id, io::Refusal refusal, std::string detail) {
  for (const auto& [pair, channel] : channels_) {
    if (channel->id != id || channel->to_life != server.life) continue;
    ++totals_.refusals;
    const std::shared_ptr<Channel> refused = channel;
    refused->open = false;
    channels_.erase(pair);
    server.port.post(io::PeerClosed{id});
    if (!Blocked(refused->to, refused->from)) {
      Tell(refused->from, refused->from_life, Delay(),
           io::PeerRefused{refused->to, refusal, std::move(detail)});
    }
    PlanConnect(refused->from, refused->to, kRefusedBackoff);
    return;
  }
}

void Network::BreakChannel(const std::shared_ptr<Channel>& channel) {
  if (!channel->open) return;
  ++totals_.channels_broken;
  channel->open = false;
  channel->held.clear();
  channels_.erase({channel->from, channel->to});
  Tell(channel->to, channel->to_life, Delay(), io::PeerClosed{channel->id});
  PlanConnect(channel->from, channel->to, Uniform(kBackoffMin, kBackoffMax));
}

void Network::PlanBreak(const std::shared_ptr<Channel>& channel) {
  if (std::exchange(channel->break_planned, true)) return;
  schedule_->After(Uniform(faults_.silence_max / 4, faults_.silence_max), [this, channel] {
    channel->break_planned = false;
    const bool dead = Find(channel->to, channel->to_life) == nullptr ||
                      Find(channel->from, channel->from_life) == nullptr;
    if (dead || !channel->held.empty()) BreakChannel(channel);
  });
}

void Network::Break(model::ServerId from, model::ServerId to) {
  const auto found = channels_.find({from, to});
  if (found != channels_.end()) BreakChannel(std::shared_ptr(found->second));
}

// --- Blocks -------------------------------------------------------------------------------------

void Network::Block(model::ServerId from, model::ServerId to) { blocked_.insert({from, to}); }

void Network::Unblock(model::ServerId from, model::ServerId to) {
  if (blocked_.erase({from, to}) == 0) return;
  const auto found = channels_.find({from, to});
  if (found == channels_.end()) return;
  const std::shared_ptr<Channel> channel = found->second;
  const std::deque<io::Event> late = std::exchange(channel->held, {});
  for (const io::Event& event : late) Arrive(channel, event);
}

void Network::UnblockAll() {
  const std::set<Pair> blocked = blocked_;
  for (const auto& [from, to] : blocked) Unblock(from, to);
}

// --- Snapshots ----------------------------------------------------------------------------------

std::shared_ptr<io::ScanSink> Network::SendSnapshot(Server& from, model::ServerId to) {
  auto transfer = std::make_shared<Transfer>();
  transfer->from = from.port.id;
  transfer->from_life = from.life;
  transfer->to = to;
  if (const Server* called = Find(to)) transfer->to_life = called->life;
  return std::make_shared<SnapshotSink>(this, std::move(transfer));
}

void Network::EndTransfer(const std::shared_ptr<Transfer>& transfer, bool good) {
  if (std::exchange(transfer->ended, true)) return;
  ++(good ? totals_.snapshots_sent : totals_.snapshots_broken);
  transfer->receiver = nullptr;
  Tell(transfer->from, transfer->from_life, Delay(), io::SnapshotSent{transfer->to, good});
}

}  // namespace pando::sim
