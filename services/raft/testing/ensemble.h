// Ensemble: a few Rafts, their disks and the network between them, in one test thread.
//
// Nothing happens by itself: a test lets time pass, messages arrive and disks sync. Disks keep what
// was synced; a crash loses the rest. Whatever happens is judged at once: see Judge and Apply.
#ifndef PANDO_RAFT_TESTING_ENSEMBLE_H_
#define PANDO_RAFT_TESTING_ENSEMBLE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raft/raft.h"

namespace pando::raft {

using std::chrono::milliseconds;

model::Membership VotersOf(std::vector<uint64_t> voters, std::vector<uint64_t> learners = {});

class Ensemble {
 public:
  struct Server {
    model::ServerId id;
    std::unique_ptr<Raft> raft;  // null: it does not run
    uint64_t lives = 0;
    // On disk.
    model::Term term;
    model::ServerId vote;
    std::map<model::Revision, model::Entry> log;
    // In the store: everything up to here; the log may begin with the next.
    model::Revision stored;
    model::Term stored_term;
    // Handed to the disk and not synced, oldest first.
    std::deque<Append> unsynced;
    // What the machine would have applied in this life, and up to where.
    std::vector<EntryRef> applied;
    model::Revision applied_index;
    model::Term applied_term;
    std::vector<ReadGrant> reads;
    std::vector<model::ServerId> snapshots;
    bool slow_disk = false;  // syncs only when told to
    base::Duration ahead{};  // of the others' clocks
    bool lost = false;       // its disk is not what it was: it may be refused
    model::ServerId refused_by;
    // The last time that somebody looked.
    bool led = false;
    model::Revision committed;
  };
  struct Flight {
    model::ServerId from;
    model::ServerId to;
    Message message;
    base::Instant due;
  };

  // `spares` run without data until they are made members.
  explicit Ensemble(model::Membership membership, std::vector<uint64_t> spares = {},
                    uint64_t seed = 1);

  // Of every server that starts from now on.
  Config config;

  Server& At(uint64_t id) { return servers_.at(model::ServerId(id)); }
  Raft& RaftAt(uint64_t id) { return *At(id).raft; }
  base::Instant now() const { return now_; }

  bool Runs(uint64_t id) { return At(id).raft != nullptr; }
  void Start(uint64_t id);
  void Crash(uint64_t id);
  // A server that does not run gets another disk. One that has lost something may be refused.
  void ReplaceDisk(uint64_t id, model::Term term, model::ServerId vote,
                   std::vector<model::Entry> log);
  // The channel between them breaks and is opened again: what was under way is lost.
  void Reconnect(uint64_t one, uint64_t other);
  // One server sees the channel from another break.
  void LoseChannel(uint64_t id, uint64_t from) {
    RaftAt(id).PeerLost(Clock(At(id)), model::ServerId(from));
  }
  // Everything applied goes to the store; with `drop` the log on disk begins after it.
  void Store(uint64_t id, bool drop);
  // The store of `from` goes to `to`, which installs it if it is news.
  void InstallSnapshot(uint64_t from, uint64_t to);
  void TellSnapshotSent(uint64_t from, uint64_t to, bool good) {
    RaftAt(from).SnapshotSent(Clock(At(from)), model::ServerId(to), good);
  }

  // Takes everybody's output: appends to the disks, messages to the network.
  void Settle();
  // Syncs the disk of one server: all that it was given, or the first append of it.
  void Sync(uint64_t id);
  void SyncOne(uint64_t id);
  // Lets time pass for one server alone: its clock is ahead from now on.
  void TickAlone(uint64_t id, base::Duration duration);
  // Lets `duration` pass in steps: ticks, messages arrive, disks that are not slow sync.
  void Run(base::Duration duration, base::Duration step = milliseconds(1));
  // Until somebody leads that a majority follows; the leader's id. 0: nobody within 10 s.
  uint64_t RunUntilLeader();

  // --- The network ----------------------------------------------------------------------------
  // Between these nothing arrives.
  void Cut(uint64_t from, uint64_t to) {
    cut_.insert({model::ServerId(from), model::ServerId(to)});
  }
  void CutOff(uint64_t id);
  void Heal() { cut_.clear(); }
  std::vector<Flight>& flights() { return flights_; }
  // Those that are under way and due; what they cause is under way then.
  void Deliver(const std::function<bool(const Flight&)>& which);
  // Asked of each message; false: it is lost.
  std::function<bool(const Flight&)> filter;
  // Asked of each message: when its copies arrive, from now. None: it is lost.
  std::function<std::vector<base::Duration>(const Flight&)> route;
  // Told of all that is put out.
  std::function<void(const Server&, const Output&)> observer;

  // Proposes at a server that leads. The index.
  model::Revision Propose(uint64_t id, const std::string& payload);
  absl::StatusOr<model::Revision> TryPropose(uint64_t id, const std::string& payload);
  absl::StatusOr<model::Revision> ProposeMembership(uint64_t id, const model::Membership& next);
  absl::Status Transfer(uint64_t id, uint64_t to) {
    return RaftAt(id).TransferLeadership(Clock(At(id)), model::ServerId(to));
  }
  // A read at a server: its grant is judged when it comes.
  void Read(uint64_t id);
  // The payloads of commands that were applied at a server.
  std::vector<std::string> Applied(uint64_t id);
  // What anybody has given out as committed.
  model::Revision newest() const;

 private:
  void Obey(Server* server);
  base::Instant Clock(const Server& server) const { return now_ + server.ahead; }
  void Apply(Server* server, EntryRef entry);
  // One leader per term; what a leader counts as committed is on a majority's disks.
  void Judge(Server* server);
  size_t MostOnDisk(const std::vector<model::Member>& members, model::Revision index);
  bool Introduce(Server* server, Server* to);
  const model::Membership& MembershipAt(model::Revision index) const;

  const uint64_t seed_;
  base::Instant now_{std::chrono::seconds(1)};
  std::map<model::ServerId, Server> servers_;
  std::vector<Flight> flights_;
  std::set<std::pair<model::ServerId, model::ServerId>> cut_;
  std::map<model::Term, model::ServerId> leaders_;
  std::map<model::Revision, EntryRef> committed_;
  std::map<model::Revision, model::Membership> memberships_;  // committed
  std::map<uint64_t, model::Revision> asked_;                 // reads, and what was committed then
  uint64_t last_read_ = 1'000;                                // below: a test's own
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_TESTING_ENSEMBLE_H_
