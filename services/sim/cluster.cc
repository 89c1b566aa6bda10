#include "sim/cluster.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "sim/client_world.h"
#include "sim/cluster_client.h"
#include "sim/lane_writer.h"
#include "sim/network.h"
#include "sim/operator.h"
#include "sim/raft_rules.h"
#include "sim/session_mover.h"
#include "sim/sim_server.h"
#include "sim/truth.h"
#include "sim/watcher.h"

namespace pando::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kServersMax = 9;
constexpr base::Duration kSafetyPhase = seconds(60);
constexpr base::Duration kLivenessPhase = seconds(60);
constexpr uint64_t kHistoryTriesMax = 200'000;
constexpr size_t kCallsMin = 300;
// Of the machine. To its binary of today they mean the same.
constexpr uint32_t kOldVersion = 1;
constexpr uint32_t kNewVersion = 2;
constexpr size_t kFaultsMin = 10;

class Cluster {
 public:
  Cluster(uint64_t seed, TraceLine trace);
  ClusterTotals Run();

 private:
  struct Server {
    std::unique_ptr<SimServer> server;
    bool wiped = false;    // its id has no data any more: it must be replaced
    bool damaged = false;  // its data is, and it may stop for good
    bool leaving = false;  // it is being removed
    bool removed = false;

    // Its data is gone for good, or it has stopped for good.
    bool lost() const { return wiped || !server->stopped_because().empty(); }
  };

  void Trace(const std::string& line);
  SimServerOptions ServerOptions(model::ServerId id);
  Server& AddServer(bool joins);
  SimServer* Pick();
  SimServer* PickRunning();
  SimServer* PickUp();
  SimServer* Leader();
  std::vector<model::ServerId> Ids() const;
  size_t Voters();
  bool IsMember(model::ServerId id);
  bool MayLose();
  bool OperatorsAreIdle() const;
  void Step(base::Instant until);
  void Check();
  void Said(model::ServerId from, model::ServerId to, const raft::Message& message);

  void Nemesis();
  bool Do(Fault fault);
  void Restart(Server& server, base::Duration after);
  void Partition(bool one_way, bool isolate);
  void Split(const std::set<model::ServerId>& side, bool one_way);
  void TendMembers();
  void Join();
  void GrowApart();
  void Promote(model::ServerId id);
  void Heal();
  void CheckReturn();
  void CheckDeafLeader();
  bool Converged();
  std::string Describe();

  base::Rng rng_;
  const TraceLine trace_;
  Schedule schedule_;
  Truth truth_;
  RaftRules rules_;
  model::Revision committed_before_;  // what anybody had applied before the event at hand
  uint64_t voters_die_ = 0;           // of a thousand, right after they have voted
  std::vector<Call> history_;
  ClientWorld world_;
  SimServerOptions common_;
  NetworkFaults faults_;
  Network network_;
  std::map<model::ServerId, Server> servers_;
  std::vector<model::ServerId> initial_;
  std::vector<std::shared_ptr<ClusterClient>> clients_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::vector<std::shared_ptr<LaneWriter>> lanes_;
  std::shared_ptr<SessionMover> mover_;
  std::shared_ptr<Operator> operator_;
  // They know nothing of each other, and ask the leader.
  std::shared_ptr<Operator> hasty_[2];
  uint64_t weights_[kFaults];
  base::Duration fault_pause_max_;
  bool healing_ = false;
  ClusterTotals totals_;
};

Cluster::Cluster(uint64_t seed, TraceLine trace)
    : rng_(seed),
      trace_(std::move(trace)),
      truth_(&schedule_),
      network_(&schedule_, base::Rng(rng_.Next()), {}) {
  faults_.delay_max = std::chrono::microseconds(rng_.Between(100, 20'000));
  if (rng_.Chance(600)) {
    faults_.drop = rng_.Below(60);
    faults_.duplicate = rng_.Below(60);
    faults_.reorder = rng_.Below(100);
    faults_.break_channel = rng_.Below(4);
  }
  network_.SetFaults(faults_);
  network_.SetProbe([this](model::ServerId from, model::ServerId to, const io::PeerMessage& said) {
    if (const auto* message = std::get_if<raft::Message>(&said)) Said(from, to, *message);
  });
  common_.network = &network_;
  common_.wal_segment_bytes = uint64_t{16} << 10;
  common_.disk_delay_max = milliseconds(rng_.Between(1, 15));
  common_.store.interval = milliseconds(rng_.Between(20, 800));
  common_.store.snapshot_revisions = rng_.Between(10, 1'000);
  common_.store.changes_bytes_max = size_t{1} << rng_.Between(11, 20);
  common_.store.scan_chunk_bytes = size_t{1} << rng_.Between(8, 14);
  common_.raft.tail_bytes_max = rng_.Between(1, 400) * 200;
  common_.raft.append_bytes_max = size_t{1} << rng_.Between(8, 20);
  // Some begin with binaries of the version before, and are upgraded one by one.
  common_.machine_version_max = rng_.Chance(500) ? kNewVersion : kOldVersion;
  voters_die_ = rng_.Chance(300) ? rng_.Between(20, 200) : 0;
  for (uint64_t& weight : weights_) weight = rng_.Chance(700) ? rng_.Between(1, 10) : 0;
  weights_[static_cast<size_t>(Fault::kKill)] += 3;
  fault_pause_max_ = milliseconds(rng_.Between(2'000, 7'000));

  world_.schedule = &schedule_;
  world_.truth = &truth_;
  world_.pick = [this] { return Pick(); };
  world_.history = &history_;
  if (trace_) world_.trace = [this](const std::string& line) { Trace(line); };
  operator_ = std::make_shared<Operator>(&schedule_, [this] { return Pick(); });
  for (auto& hasty : hasty_) {
    hasty = std::make_shared<Operator>(&schedule_, [this] {
      SimServer* const leader = Leader();
      return leader == nullptr ? Pick() : leader;
    });
  }

  const uint64_t size = rng_.Between(1, 5);
  for (uint64_t id = 1; id <= size; ++id) initial_.emplace_back(id);
  for (uint64_t id = 1; id <= size; ++id) AddServer(false);
}

void Cluster::Trace(const std::string& line) {
  if (trace_) {
    trace_(absl::StrCat(schedule_.now().since_start.count() / 1'000, " us  ", line));
  }
}

Cluster::Server& Cluster::AddServer(bool joins) {
  const model::ServerId id(servers_.size() + 1);
  SimServerOptions options = common_;
  options.id = id;
  if (joins) {
    options.machine_version_max = kNewVersion;
    options.initial.clear();
    options.join = Ids();
  } else {
    options.initial = initial_;
  }
  options.wall_offset = milliseconds(rng_.Below(2'000));
  options.on_applied = [this](model::ServerId server, const io::StoreWrite& write) {
    truth_.Applied(server, write);
  };
  if (trace_) {
    options.on_event = [this](model::ServerId server, const std::string& event) {
      Trace(absl::StrCat("server ", server.value(), ": ", event));
    };
  }
  Server& server = servers_[id];
  server.server = std::make_unique<SimServer>(&schedule_, base::Rng(rng_.Next()), options);
  server.server->Start();
  return server;
}

std::vector<model::ServerId> Cluster::Ids() const {
  std::vector<model::ServerId> ids;
  for (const auto& [id, server] : servers_) ids.push_back(id);
  return ids;
}

// --- Who ----------------------------------------------------------------------------------------

SimServer* Cluster::Pick() {
  std::vector<SimServer*> some;
  for (auto& [id, server] : servers_) {
    if (!server.removed && !server.wiped) some.push_back(server.server.get());
  }
  return some[rng_.Below(some.size())];
}

// Null: none.
SimServer* Cluster::PickRunning() {
  std::vector<SimServer*> some;
  for (auto& [id, server] : servers_) {
    if (server.server->running() && !server.removed) some.push_back(server.server.get());
  }
  return some.empty() ? nullptr : some[rng_.Below(some.size())];
}

SimServer* Cluster::Leader() {
  SimServer* leader = nullptr;
  for (auto& [id, server] : servers_) {
    SimServer* const one = server.server.get();
    if (!one->running() || one->replica().raft().role() != raft::Role::kLeader) continue;
    if (leader == nullptr || one->replica().raft().term() > leader->replica().raft().term()) {
      leader = one;
    }
  }
  return leader;
}

size_t Cluster::Voters() {
  SimServer* const leader = Leader();
  if (leader == nullptr) return 0;
  size_t voters = 0;
  for (const model::Member& member : leader->replica().raft().membership().members) {
    voters += member.role == model::Member::Role::kVoter;
  }
  return voters;
}

// As the leader knows it.
bool Cluster::IsMember(model::ServerId id) {
  SimServer* const leader = Leader();
  return leader != nullptr && leader->replica().raft().membership().Find(id) != nullptr;
}

// A member may lose its data for good: a majority keeps theirs.
bool Cluster::MayLose() {
  if (Voters() < 3 || servers_.size() >= kServersMax || !OperatorsAreIdle()) return false;
  for (const auto& [id, server] : servers_) {
    if (server.removed) continue;
    if (server.lost() || server.leaving) return false;
  }
  return true;
}

bool Cluster::OperatorsAreIdle() const {
  return operator_->idle() && hasty_[0]->idle() && hasty_[1]->idle();
}

// --- After every event --------------------------------------------------------------------------

void Cluster::Check() {
  for (const auto& [id, server] : servers_) {
    const std::string& why = server.server->stopped_because();
    if (!why.empty() && !server.wiped && !server.damaged) {
      Violated(absl::StrCat("server ", id.value(), " has stopped for no reason: ", why));
    }
    if (!server.server->running()) continue;
    const replica::Replica& replica = server.server->replica();
    rules_.Check(id, replica.raft(), committed_before_);
    if (replica.raft().role() == raft::Role::kLeader) {
      truth_.Leads(id, replica.raft().term());
      totals_.terms = std::max(totals_.terms, replica.raft().term().value());
    }
    truth_.CheckState(id, replica.machine().applied(), replica.machine().digest());
    if (replica.machine().version() > server.server->machine_version_max()) {
      Violated(absl::StrCat("the machine is too new for server ", id.value()));
    }
  }
  committed_before_ = truth_.last();
}

void Cluster::Said(model::ServerId from, model::ServerId to, const raft::Message& message) {
  rules_.Said(from, to, message);
  const auto* vote = std::get_if<raft::VoteReply>(&message);
  if (vote == nullptr || !vote->granted || vote->pre_vote || healing_) return;
  if (!rng_.Chance(voters_die_)) return;
  // When its turn is over.
  schedule_.After({}, [this, &server = servers_.at(from)] {
    if (!server.server->running()) return;
    ++totals_.faults[static_cast<size_t>(Fault::kPowerLoss)];
    Trace(absl::StrCat("server ", server.server->id().value(), " has voted, and dies"));
    server.server->LosePower();
    Restart(server, milliseconds(rng_.Between(1, 200)));
  });
}

void Cluster::Step(base::Instant until) {
  while (schedule_.Step(until)) Check();
}

// --- Faults -------------------------------------------------------------------------------------

void Cluster::Nemesis() {
  if (healing_) return;
  uint64_t sum = 0;
  for (const uint64_t weight : weights_) sum += weight;
  for (int tries = 0; tries < 20; ++tries) {
    uint64_t dice = rng_.Below(sum);
    size_t fault = 0;
    while (dice >= weights_[fault]) dice -= weights_[fault++];
    if (!Do(static_cast<Fault>(fault))) continue;
    ++totals_.faults[fault];
    Trace(absl::StrCat("fault: ", FaultName(static_cast<Fault>(fault))));
    break;
  }
  schedule_.After(
      milliseconds(rng_.Between(200, static_cast<uint64_t>(fault_pause_max_.count() / 1'000'000))),
      [this] { Nemesis(); });
}

void Cluster::Restart(Server& server, base::Duration after) {
  schedule_.After(after, [this, &server] {
    SimServer* const one = server.server.get();
    if (server.removed || one->running() || !one->stopped_because().empty()) return;
    one->Start();
    Trace(absl::StrCat("server ", one->id().value(), " starts",
                       one->running() ? "" : " not: ", one->stopped_because()));
  });
}

bool Cluster::Do(Fault fault) {
  SimServer* const one = PickRunning();
  if (one == nullptr) return false;
  Server& server = servers_.at(one->id());
  const base::Duration down = milliseconds(rng_.Between(10, rng_.Chance(700) ? 1'500 : 15'000));
  const base::Duration while_it_lasts = milliseconds(rng_.Between(100, 8'000));
  switch (fault) {
    case Fault::kKill:
    case Fault::kPowerLoss:
      Trace(absl::StrCat("server ", one->id().value(), " dies"));
      if (fault == Fault::kKill) {
        one->Kill();
      } else {
        one->LosePower();
      }
      Restart(server, down);
      return true;
    case Fault::kPause:
      one->Pause(milliseconds(rng_.Between(10, 4'000)));
      return true;
    case Fault::kPartition:
      Partition(false, false);
      return true;
    case Fault::kOneWay:
      Partition(true, false);
      return true;
    case Fault::kIsolate:
      Partition(rng_.Chance(300), true);
      return true;
    case Fault::kBreakChannels:
      for (const model::ServerId id : Ids()) {
        if (rng_.Chance(500)) network_.Break(one->id(), id);
        if (rng_.Chance(500)) network_.Break(id, one->id());
      }
      return true;
    case Fault::kSlowDisk:
      one->SetDiskDelay(milliseconds(rng_.Between(50, 1'000)));
      schedule_.After(while_it_lasts, [this, one] { one->SetDiskDelay(common_.disk_delay_max); });
      return true;
    case Fault::kFullDisk:
      one->SetDiskSpace(rng_.Chance(500) ? SimServer::DiskSpace::kFull
                                         : SimServer::DiskSpace::kBrimful);
      schedule_.After(while_it_lasts, [one] { one->SetDiskSpace(SimServer::DiskSpace::kEnough); });
      return true;
    case Fault::kClockJump:
      one->MoveWallClock(milliseconds(static_cast<int64_t>(rng_.Below(20'000)) - 10'000));
      return true;
    case Fault::kLogRot:
    case Fault::kTreeRot: {
      if (!MayLose()) return false;
      one->Kill();
      const bool damaged = fault == Fault::kLogRot ? one->DamageLog() : one->DamageTree();
      const bool mended = damaged && fault == Fault::kTreeRot && rng_.Chance(500) && one->Recover();
      server.damaged |= damaged && !mended;
      one->Start();
      if (mended) Trace(absl::StrCat("server ", one->id().value(), " goes back to its snapshot"));
      if (mended && !one->running()) Violated("a snapshot does not mend the tree");
      if (damaged && !mended && one->running()) Violated("damage was not found");
      return damaged;
    }
    case Fault::kWipe:
      // A list of one forms an ensemble of one, whatever there was: nobody can object.
      if (!MayLose() || initial_.size() == 1) return false;
      one->Kill();
      one->Wipe();
      server.wiped = true;
      rules_.Wiped(one->id());
      one->Start();
      // Before anybody sees to it, its vote may be asked for.
      if (SimServer* const leader = Leader(); leader != nullptr && rng_.Chance(500)) {
        leader->Kill();
        Restart(servers_.at(leader->id()), down);
      }
      return true;
    case Fault::kAddMember:
      if (servers_.size() >= kServersMax || Voters() >= 5 || !OperatorsAreIdle()) return false;
      Join();
      return true;
    case Fault::kGrowApart:
      if (servers_.size() + 2 > kServersMax || Voters() != 3 || !OperatorsAreIdle()) return false;
      GrowApart();
      return true;
    case Fault::kRemoveMember:
      if (!MayLose()) return false;
      server.leaving = true;
      operator_->Order(io::RemoveMember{one->id()}, [this, &server](bool good) {
        server.leaving = false;
        if (!good) return;
        server.removed = true;
        if (server.server->running()) server.server->Kill();
        Trace(absl::StrCat("server ", server.server->id().value(), " is removed"));
      });
      return true;
    case Fault::kTransfer:
      if (!OperatorsAreIdle()) return false;
      operator_->Order(io::TransferLeadership{rng_.Chance(500) ? one->id() : model::ServerId()},
                       nullptr);
      return true;
    case Fault::kUpgrade:
      one->Kill();
      one->SetMachineVersion(kNewVersion);
      Restart(server, milliseconds(rng_.Between(10, 500)));
      return true;
    case Fault::kCount:
      break;
  }
  return false;
}

void Cluster::Partition(bool one_way, bool isolate) {
  const std::vector<model::ServerId> ids = Ids();
  const model::ServerId alone = ids[rng_.Below(ids.size())];
  std::set<model::ServerId> side;
  for (const model::ServerId id : ids) {
    if (isolate ? id == alone : rng_.Chance(500)) side.insert(id);
  }
  Split(side, one_way);
}

// For a while nothing gets from one side to the other; one way: the side itself is still heard.
void Cluster::Split(const std::set<model::ServerId>& side, bool one_way) {
  std::vector<std::pair<model::ServerId, model::ServerId>> blocked;
  for (const model::ServerId a : Ids()) {
    for (const model::ServerId b : Ids()) {
      if (side.contains(a) == side.contains(b) || (one_way && side.contains(a))) continue;
      blocked.emplace_back(a, b);
      network_.Block(a, b);
    }
  }
  schedule_.After(milliseconds(rng_.Between(100, 10'000)), [this, blocked] {
    if (healing_) return;  // all of it is over, and what is blocked by now is a check's
    for (const auto& [a, b] : blocked) network_.Unblock(a, b);
  });
}

// --- The operator -------------------------------------------------------------------------------

void Cluster::Join() {
  const model::ServerId id = AddServer(true).server->id();
  Trace(absl::StrCat("server ", id.value(), " joins"));
  // Some stay learners.
  if (healing_ || rng_.Chance(700)) Promote(id);
}

// Three voters are to become five by two orders at the same time, while the leader and the two that
// are new are cut off from the other two. Were both changes in force at once, each side would have
// a majority: one of the new voters, the other of the old ones (Raft thesis 4.1).
void Cluster::GrowApart() {
  const model::ServerId a = AddServer(true).server->id();
  const model::ServerId b = AddServer(true).server->id();
  Trace(absl::StrCat("servers ", a.value(), " and ", b.value(), " join, and grow apart"));
  schedule_.After(seconds(4), [this, a, b] {
    SimServer* const leader = Leader();
    if (leader == nullptr || healing_ || servers_.at(a).lost() || servers_.at(b).lost()) return;
    Split({leader->id(), a, b}, false);
    hasty_[0]->Order(io::PromoteMember{a}, nullptr);
    hasty_[1]->Order(io::PromoteMember{b}, nullptr);
  });
}

void Cluster::Promote(model::ServerId id) {
  schedule_.After(seconds(2), [this, id] {
    if (servers_.at(id).lost()) return;
    operator_->Order(io::PromoteMember{id}, [this, id](bool) {
      Trace(absl::StrCat("server ", id.value(), " was promoted"));
    });
  });
}

// Members that will never come back are replaced, one at a time.
void Cluster::TendMembers() {
  for (auto& [id, server] : servers_) {
    if (!server.lost() || server.leaving || !OperatorsAreIdle()) continue;
    // It takes time until somebody sees to it; until then it may try to do harm.
    if (!healing_ && rng_.Chance(800)) continue;
    if (server.removed) {
      // With an empty disk it had asked to be let in again, and was once its former self was gone.
      if (server.wiped && IsMember(id)) operator_->Order(io::RemoveMember{id}, nullptr);
      continue;
    }
    server.leaving = true;
    if (server.server->running()) server.server->Kill();
    Trace(absl::StrCat("server ", id.value(),
                       " is to be replaced: ", server.server->stopped_because()));
    operator_->Order(io::RemoveMember{id}, [this, &lost_one = server](bool) {
      ++totals_.replaced;
      lost_one.leaving = false;
      lost_one.removed = true;
      if (servers_.size() < kServersMax) Join();
    });
  }
  schedule_.After(milliseconds(500), [this] { TendMembers(); });
}

void Cluster::Heal() {
  healing_ = true;
  Trace("heal");
  network_.SetFaults({});
  network_.UnblockAll();
  world_.quick = true;
  for (auto& [id, server] : servers_) {
    server.server->SetDiskDelay(milliseconds(2));
    server.server->SetDiskSpace(SimServer::DiskSpace::kEnough);
    Restart(server, milliseconds(rng_.Below(100)));
  }
}

bool Cluster::Converged() {
  if (!OperatorsAreIdle() || Leader() == nullptr) return false;
  const model::Revision applied = Leader()->replica().machine().applied();
  if (applied < world_.told || applied != truth_.last()) return false;
  for (const model::Member& member : Leader()->replica().raft().membership().members) {
    const SimServer* const one = servers_.at(member.id).server.get();
    if (!one->running() || one->replica().machine().applied() != applied) return false;
  }
  return std::all_of(watchers_.begin(), watchers_.end(),
                     [&](const auto& watcher) { return watcher->seen() >= applied; });
}

// Who was away disturbs nobody when it comes back (pre-vote, Raft thesis 9.6).
void Cluster::CheckReturn() {
  if (Voters() < 3) return;
  SimServer* const leader = Leader();
  const model::Term term = leader->replica().raft().term();
  SimServer* away = leader;
  while (away == leader) away = PickRunning();
  for (const model::ServerId id : Ids()) {
    network_.Block(away->id(), id);
    network_.Block(id, away->id());
  }
  Step(schedule_.now() + seconds(2));
  network_.UnblockAll();
  Step(schedule_.now() + seconds(1));
  if (Leader() == leader && leader->replica().raft().term() == term) return;
  Violated(absl::StrCat("server ", away->id().value(), " was away, and disturbed its leader ",
                        leader->id().value(), Describe()));
}

// A leader that hears nobody gives way, though everybody still hears it (check-quorum, Raft thesis
// 6.2).
void Cluster::CheckDeafLeader() {
  if (Voters() < 3) return;
  SimServer* const leader = Leader();
  const model::Term term = leader->replica().raft().term();
  for (const model::ServerId id : Ids()) network_.Block(id, leader->id());
  Step(schedule_.now() + seconds(3));
  network_.UnblockAll();
  if (Leader() != nullptr && Leader()->replica().raft().term() > term) return;
  Violated(
      absl::StrCat("leader ", leader->id().value(), " hears nobody, and leads on", Describe()));
}

std::string Cluster::Describe() {
  std::string text = absl::StrCat("; last ", truth_.last().value(), ", told ", world_.told.value(),
                                  ", operator ", OperatorsAreIdle() ? "idle" : "busy");
  for (const auto& watcher : watchers_) {
    absl::StrAppend(&text, ", a watcher is at ", watcher->seen().value());
  }
  for (const auto& client : clients_) absl::StrAppend(&text, ", client done ", client->done());
  for (auto& [id, server] : servers_) {
    absl::StrAppend(&text, "\n  server ", id.value(), ": ", server.removed ? "removed " : "",
                    server.wiped ? "wiped " : "", server.leaving ? "leaving " : "",
                    server.server->stopped_because());
    if (!server.server->running()) continue;
    const replica::Gauges gauges = server.server->gauges();
    absl::StrAppend(&text, raft::RoleName(gauges.role), " term ", gauges.term.value(),
                    " committed ", gauges.committed.value(), " applied ", gauges.applied.value(),
                    " stored ", gauges.stored.value());
    for (const model::Member& member : server.server->replica().raft().membership().members) {
      absl::StrAppend(&text, " ", member.id.value(),
                      member.role == model::Member::Role::kVoter ? "" : "?");
    }
  }
  return text;
}

// --- The run ------------------------------------------------------------------------------------

ClusterTotals Cluster::Run() {
  Trace(absl::StrCat(initial_.size(), " servers"));
  const uint64_t clients = rng_.Between(3, 6);
  for (uint64_t i = 0; i < clients; ++i) {
    clients_.push_back(std::make_shared<ClusterClient>(&world_, base::Rng(rng_.Next()), i + 1));
    clients_.back()->Start();
  }
  watchers_.push_back(
      std::make_unique<Watcher>(&world_, base::Rng(rng_.Next()), Watcher::Everything()));
  for (uint64_t i = rng_.Between(1, 3); i > 0; --i) {
    std::vector<model::WatchTarget> targets = Watcher::Some(&rng_);
    watchers_.push_back(
        std::make_unique<Watcher>(&world_, base::Rng(rng_.Next()), std::move(targets)));
  }
  for (const auto& watcher : watchers_) watcher->Start();
  for (int i = 0; i < 2; ++i) {
    lanes_.push_back(std::make_shared<LaneWriter>(&world_, base::Rng(rng_.Next())));
    lanes_.back()->Start();
  }
  mover_ = std::make_shared<SessionMover>(&world_, base::Rng(rng_.Next()));
  mover_->Start();
  schedule_.After(seconds(2), [this] { Nemesis(); });
  TendMembers();
  const auto faults = [this] {
    uint64_t sum = 0;
    for (const uint64_t count : totals_.faults) sum += count;
    return sum;
  };
  // However it goes, at least so long and so much.
  do {
    Step(schedule_.now() + kSafetyPhase / 4);
  } while (schedule_.now() < base::Instant{kSafetyPhase} || faults() < kFaultsMin ||
           world_.calls < kCallsMin);

  // Faults of a while that have begun may still end; nothing new comes.
  Heal();
  std::vector<uint64_t> done;
  for (const auto& client : clients_) done.push_back(client->done());
  const base::Instant deadline = schedule_.now() + kLivenessPhase;
  const auto served = [&] {
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i]->done() < done[i] + 3) return false;
    }
    return true;
  };
  while (!served() || !OperatorsAreIdle()) {
    if (schedule_.now() >= deadline) Violated("no liveness: clients are not served" + Describe());
    Step(schedule_.now() + milliseconds(200));
  }
  for (const auto& client : clients_) client->Stop();
  for (const auto& lane : lanes_) lane->Stop();
  mover_->Stop();
  while (!Converged()) {
    if (schedule_.now() >= deadline + kLivenessPhase) {
      Violated("no liveness: not converged" + Describe());
    }
    Step(schedule_.now() + milliseconds(200));
  }
  CheckReturn();
  CheckDeafLeader();

  for (const auto& client : clients_) client->Abandon();
  // What nobody was told took effect when it was written, or not at all. Of a Delete nobody knows.
  for (Call& call : history_) {
    if (call.outcome) continue;
    for (const auto* steps : {&call.then_steps, &call.else_steps}) {
      for (const Call::Step& step : *steps) {
        const auto written = truth_.WrittenAt(step.data);
        if (written) call.returned = *written;
      }
    }
  }
  std::erase_if(history_, [](const Call& call) {
    return !call.outcome && call.returned == base::kNever && !call.then_steps[0].data.empty();
  });
  const Linearizability verdict = CheckLinearizable(history_, kHistoryTriesMax);
  if (verdict.verdict == Linearizability::Verdict::kNo) {
    Violated("the history is not linearizable: " + verdict.report);
  }

  totals_.seeds = 1;
  totals_.calls = world_.calls;
  for (const auto& client : clients_) totals_.calls_done += client->done();
  totals_.history_calls = history_.size();
  totals_.history_given_up = verdict.verdict == Linearizability::Verdict::kGaveUp;
  totals_.revisions = truth_.last().value();
  const NetworkTotals& network = network_.totals();
  totals_.messages = network.sent;
  totals_.dropped = network.dropped;
  totals_.duplicated = network.duplicated;
  totals_.reordered = network.reordered;
  totals_.channels_broken = network.channels_broken;
  totals_.snapshots = network.snapshots_sent;
  totals_.snapshots_broken = network.snapshots_broken;
  for (const auto& watcher : watchers_) totals_.streams += watcher->resumed();
  totals_.moves = mover_->moves();
  for (const auto& [id, server] : servers_) totals_.turns += server.server->turns();
  totals_.virtual_ms = static_cast<uint64_t>(schedule_.now().since_start.count() / 1'000'000);
  return totals_;
}

}  // namespace

ClusterTotals RunCluster(uint64_t seed, TraceLine trace) {
  return Cluster(seed, std::move(trace)).Run();
}

}  // namespace pando::sim
