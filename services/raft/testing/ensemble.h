// Ensemble: a few Rafts, their disks and the network between them, in one test thread.
//
// Nothing happens by itself: a test lets time pass, messages arrive and disks sync. Disks keep what
// was synced; a crash loses the rest.
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
    // Handed to the disk and not synced, oldest first.
    std::deque<Append> unsynced;
    // What the machine would have applied.
    std::vector<EntryRef> applied;
    std::vector<ReadGrant> reads;
    std::vector<model::ServerId> snapshots;
    bool slow_disk = false;  // syncs only when told to
  };
  struct Flight {
    model::ServerId from;
    model::ServerId to;
    Message message;
  };

  explicit Ensemble(model::Membership membership);

  Server& At(uint64_t id) { return servers_.at(model::ServerId(id)); }
  Raft& RaftAt(uint64_t id) { return *At(id).raft; }
  base::Instant now() const { return now_; }

  void Start(uint64_t id);
  void Crash(uint64_t id);

  // Takes everybody's output: appends to the disks, messages to the network.
  void Settle();
  // Syncs the disk of one server.
  void Sync(uint64_t id);
  // Lets `duration` pass in steps of 1 ms: ticks, messages arrive, disks that are not slow sync.
  void Run(base::Duration duration);
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
  // Asked of each message; false: it is lost.
  std::function<bool(const Flight&)> filter;

  // Proposes at a server that leads. The index.
  model::Revision Propose(uint64_t id, const std::string& payload);
  // The payloads of commands that were applied at a server.
  std::vector<std::string> Applied(uint64_t id);
  // One leader per term; equal entries where they were applied.
  void CheckSafety();

 private:
  void Obey(Server* server);
  void DeliverAll();

  const model::Membership membership_;
  base::Instant now_{std::chrono::seconds(1)};
  std::map<model::ServerId, Server> servers_;
  std::vector<Flight> flights_;
  std::set<std::pair<model::ServerId, model::ServerId>> cut_;
  std::map<model::Term, model::ServerId> leaders_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_TESTING_ENSEMBLE_H_
