// Raft: one server's part in agreeing on the log. Input in, Output out: no I/O, clock, randomness
// of its own, threads or logging.
//
// This is the core of an ensemble of one voter: it elects itself, and what is on its disk is
// committed. Its interface is the one that several voters need.
//
//   Tick, Receive, Propose, Read, Persisted ──► Raft ──► Take(): append, messages, committed, reads
//
// Owned by the core thread.
#ifndef PANDO_RAFT_RAFT_H_
#define PANDO_RAFT_RAFT_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/status.h"
#include "base/time.h"
#include "model/entry.h"
#include "model/ids.h"
#include "model/membership.h"
#include "raft/log.h"
#include "raft/message.h"
#include "raft/output.h"

namespace pando::raft {

struct Config {
  model::ServerId id;
  model::StartCount start;
};

// What the disk held at the start, all of it durable.
struct Recovered {
  model::Term term;
  model::ServerId vote;
  // Entries that are in memory from the start: contiguous, after (`previous`, `previous_term`).
  model::Revision previous;
  model::Term previous_term;
  std::vector<model::Entry> entries;
  // Committed and applied already. REQUIRES: previous <= applied <= the last entry's index.
  model::Revision applied;
  // In force at `applied`; a later one comes from the entries.
  model::Membership membership;
};

class Raft {
 public:
  // REQUIRES: the membership has exactly this one voter.
  Raft(Config config, Recovered recovered, base::Rng rng, base::Instant now);

  // --- Inputs ---------------------------------------------------------------------------------

  void Tick(base::Instant now);
  void Receive(base::Instant now, model::ServerId from, Message message);
  // The peer's stream broke.
  void PeerLost(base::Instant now, model::ServerId peer);
  // Gives the entry the next index. FAILED_PRECONDITION: not the leader.
  absl::StatusOr<model::Revision> Propose(model::EntryKind kind, std::string payload);
  // Asks for a confirmation that this server leads, for everything committed until now.
  void Read(base::Instant now, ReadId id);
  // This append and all before it are on disk.
  void Persisted(base::Instant now, AppendId id);
  // Answer of a LogRead.
  void EntriesRead(model::Revision first, std::vector<model::Entry> entries);
  // Entries up to `stored` need not be kept but for followers that lag.
  void Compact(model::Revision stored);

  // --- Outputs --------------------------------------------------------------------------------

  bool HasOutput() const;
  Output Take();
  // When Tick must be called though nothing happened.
  base::Instant NextDeadline() const;

  Role role() const { return role_; }
  model::ServerId leader() const { return role_ == Role::kLeader ? config_.id : model::ServerId(); }
  model::Term term() const { return term_; }
  model::Revision committed() const { return committed_; }
  model::Revision last_index() const { return log_.last(); }
  // In force: of the newest membership entry in the log, committed or not.
  const model::Membership& membership() const { return membership_; }

 private:
  struct Unpersisted {
    AppendId id;
    model::Revision last;  // of the log, with this append
  };

  void StandForElection();
  void BecomeLeader();
  void AppendEntry(model::EntryKind kind, std::string payload);
  Append& PendingAppend();
  void Commit();
  void GrantReads();

  const Config config_;
  base::Rng rng_;
  Role role_ = Role::kFollower;
  model::Term term_;
  model::ServerId vote_;
  Log log_;
  model::Membership membership_;
  model::Revision committed_;
  model::Revision persisted_;
  model::Revision first_of_term_;  // the leader's first entry; reads wait for its commit
  AppendId election_;              // the append that holds the vote for itself; none: no election
  AppendId last_append_;
  std::deque<Unpersisted> unpersisted_;
  std::vector<ReadId> waiting_reads_;
  Output output_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_RAFT_H_
