// Raft: one server's part in agreeing on the log. Input in, Output out: no I/O, clock, randomness
// of its own, threads or logging.
//
//   Tick, Receive, Propose, Read, Persisted, … ──► Raft ──► Take(): append, messages, committed, …
//
// What is promised because of something on disk (a vote, an acknowledgement) is put into an Output
// only after Persisted() has said that it is there. A leader's entries go to its followers while
// its own disk still writes them: its disk is one of the majority (Raft thesis 10.2.1).
//
// Rules, with the section of Ongaro's thesis where they have one:
//   pre-vote (9.6): nobody's term is disturbed by one who cannot win
//   stickiness (4.2.3): who hears a leader grants no vote, unless the leader itself hands over
//   check-quorum (6.2): a leader that has not reached a majority for an election timeout, counted
//     from the sending of what was answered, steps down; judged before every input, so that one
//     that slept acts on nothing when it wakes
//   commit (3.6.2): by counting entries of the own term only
//   ReadIndex (6.4): a round of heartbeats confirms the leader, once its first entry is committed;
//     there is no lease
//   membership (4.1): in force when appended; one voter at a time, not before the first entry of
//     the term is committed
//   fast failover: who sees the leader's channel break counts it as gone, and asks for pre-votes
//     within 20 ms
//
// Owned by the core thread.
#ifndef PANDO_RAFT_RAFT_H_
#define PANDO_RAFT_RAFT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/time.h"
#include "model/entry.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/membership.h"
#include "raft/log.h"
#include "raft/membership_log.h"
#include "raft/message.h"
#include "raft/output.h"
#include "raft/progress.h"

namespace pando::raft {

struct Config {
  model::ServerId id;
  // A member of this id with another storage is not this server, but one whose data is gone.
  model::StorageId storage;
  base::Duration heartbeat = std::chrono::milliseconds(50);
  base::Duration election_min = std::chrono::milliseconds(400);
  base::Duration election_max = std::chrono::milliseconds(800);
  // Once the leader's channel broke: the first try, and every further one.
  base::Duration failover_first_max = std::chrono::milliseconds(20);
  base::Duration failover_again_min = std::chrono::milliseconds(20);
  base::Duration failover_again_max = std::chrono::milliseconds(50);
  // A follower that was sent a snapshot may take this long to install it.
  base::Duration install_max = std::chrono::seconds(60);
  // Entries below the stored revision that are kept in memory for followers that lag.
  size_t tail_bytes_max = model::kLogTailBytesMax;
  // Of one AppendRequest.
  size_t append_bytes_max = model::kAppendBytesMax;
  // With so much in its log and not committed a leader takes no further commands.
  size_t uncommitted_bytes_max = model::kUncommittedBytesMax;
};

// What the disk held at the start, all of it durable.
struct Recovered {
  model::Term term;
  model::ServerId vote;
  // Entries that are in memory from the start: contiguous, after (`previous`, `previous_term`).
  model::Revision previous;
  model::Term previous_term;
  std::vector<model::Entry> entries;
  // The first entry that is still on disk, or the one to come.
  model::Revision first_on_disk;
  // Committed and applied already. REQUIRES: previous <= applied <= the last entry's index.
  model::Revision applied;
  // In force at `applied`; a later one comes from the entries. Empty: the server waits to be told,
  // by a leader, who the members are.
  model::Membership membership;
};

class Raft {
 public:
  Raft(Config config, Recovered recovered, base::Rng rng, base::Instant now);

  // --- Inputs ---------------------------------------------------------------------------------

  void Tick(base::Instant now);
  // From whoever: a message of no use is dropped.
  void Receive(base::Instant now, model::ServerId from, Message message);
  // Whether a life of `peer` that began with this much of its log may take part. False: it has
  // lost what it acknowledged to this leader, in `term` or before, and must never come back.
  bool PeerStarted(base::Instant now, model::ServerId peer, model::StartCount start,
                   model::Term term, model::Revision last);
  // The channel to the peer is new: what was under way to it is lost.
  void PeerReady(base::Instant now, model::ServerId peer);
  // The channel from the peer broke.
  void PeerLost(base::Instant now, model::ServerId peer);
  // Puts what the server has to remember of its formation on disk; durable with the append it goes
  // into, whose id is returned.
  AppendId Remember(base::Instant now, const model::Formation& formation);
  // Who the members of a log without entries are. REQUIRES: the log and the membership are empty.
  void SetInitialMembership(base::Instant now, model::Membership membership);

  // Gives the entry the next index. FAILED_PRECONDITION: not the leader. UNAVAILABLE: it is handing
  // over, and may still go on. A command moreover: RESOURCE_EXHAUSTED: too much is not committed
  // yet. A membership moreover: ABORTED: another change is not committed yet, or nothing of this
  // term is. REQUIRES of it: it differs from the one in force by one voter.
  absl::StatusOr<model::Revision> Propose(base::Instant now, model::EntryKind kind,
                                          std::string payload);
  // Asks for a confirmation that what it reads is not older than now. It is granted by whichever
  // leader, however many there are until then; or never, and the caller gives up.
  void Read(base::Instant now, ReadId id);
  // This append and all before it are on disk.
  void Persisted(base::Instant now, AppendId id);
  // Answer of a LogRead; empty: the log does not hold them any more.
  void EntriesRead(base::Instant now, model::Revision first, std::vector<model::Entry> entries);
  // Entries up to `stored` need not be kept in memory but for followers that lag.
  void Compact(model::Revision stored);
  // The log on disk begins with `first`.
  void DropPrefix(model::Revision first);

  // Answer of a snapshot that was asked for.
  void SnapshotSent(base::Instant now, model::ServerId to, bool good);
  // A snapshot of what was committed up to `index` is in force, on disk. If the log holds that very
  // entry, what comes after it stays, otherwise it begins anew. What was given out as committed may
  // have passed `index` meanwhile. REQUIRES: Take() was called since the last input.
  void Installed(base::Instant now, model::Revision index, model::Term term,
                 model::Membership membership);

  // Hands over to `to`, or to the voter that is the furthest. FAILED_PRECONDITION: not the leader;
  // INVALID_ARGUMENT: no other voter; ABORTED: it does so already. It is given up after an election
  // timeout; see transferring().
  absl::Status TransferLeadership(base::Instant now, model::ServerId to);

  // Told to the leader, or to the followers.
  void SetCapacity(Capacity capacity);

  // --- Outputs --------------------------------------------------------------------------------

  // Gathers the messages too: many inputs, one Take.
  Output Take(base::Instant now);
  // When Tick must be called though nothing happened.
  base::Instant NextDeadline() const;

  Role role() const;
  // None: unknown.
  model::ServerId leader() const { return leader_; }
  model::Term term() const { return term_; }
  // Whom it has voted for in this term; none: nobody yet.
  model::ServerId vote() const { return vote_; }
  model::Revision committed() const { return committed_; }
  model::Revision last_index() const { return log_.last(); }
  // In force: of the newest membership entry in the log, committed or not.
  const model::Membership& membership() const { return members_.current(); }
  model::Revision membership_index() const { return members_.index(); }
  // This server leads and hands over.
  bool transferring() const;
  // This server leads and would take a command.
  bool MayPropose() const;
  // What is in the log and not committed, of a leader; in memory.
  size_t uncommitted_bytes() const { return uncommitted_bytes_; }
  // What the leader said last: that it lacks something itself, or too many for a majority do.
  bool leader_no_space() const { return leader_no_space_; }
  bool leader_overloaded() const { return leader_overloaded_; }
  // What has to be applied here for this server to be up to date, as far as it knows: what the
  // leader said last is committed; of a leader, its first entry too.
  model::Revision known_committed() const;
  // The leader's knowledge of a follower; null: it has none.
  const Progress* FindProgress(model::ServerId peer) const;
  struct Counts {
    uint64_t elections = 0;              // in which this server stood
    uint64_t heartbeats_unanswered = 0;  // by a member, when this leader's next one was due
  };
  // Since the start.
  const Counts& counts() const { return counts_; }
  // A voter with room on its disk that this leader can hand over to; none: there is none.
  model::ServerId BestSuccessor() const;

 private:
  struct Follower {
    base::Instant election_at;
  };
  struct Candidate {  // and pre-candidate
    bool pre = true;
    bool transfer = false;
    base::Instant again_at;
    AppendId vote;  // the append that holds its own vote; none once that is on disk
    absl::btree_set<model::ServerId> granted;
  };
  struct Round {
    uint64_t number = 0;
    base::Instant sent;
  };
  struct PendingRead {
    model::ServerId from;  // none: its own
    uint64_t id = 0;
    uint64_t round = 0;     // that confirms it
    model::Revision index;  // as of the sending of that round
  };
  struct Transfer {
    model::ServerId to;
    base::Instant until;
    bool told = false;
  };
  struct Leader {
    absl::btree_map<model::ServerId, Progress> followers;  // learners too
    model::Revision first_of_term;
    base::Instant heartbeat_at;
    uint64_t last_round = 0;
    std::deque<Round> rounds;      // sent and not confirmed, oldest first
    uint64_t confirmed_round = 0;  // the newest that a majority has answered
    base::Instant confirmed_at;    // when it was sent
    std::vector<PendingRead> fresh_reads;
    std::deque<PendingRead> asked_reads;  // by round
    std::optional<Transfer> transfer;
    std::optional<model::Revision> disk_read;  // the first entry of the one under way
  };
  struct Unpersisted {
    AppendId id;
    model::Revision last;  // of the log, with this append
  };
  // A message that may leave once an append is on disk.
  struct Promise {
    AppendId after;
    model::ServerId to;
    Message message;
  };
  // A follower's reads on their way to the leader.
  struct ForwardedReads {
    uint64_t id = 0;
    std::vector<ReadId> reads;
    base::Instant asked;
  };

  // raft.cc
  void Observe(base::Instant now);
  bool MayStand() const;
  bool IsVoter() const;
  bool Alone() const;
  base::Duration Uniform(base::Duration low, base::Duration high);
  void BecomeFollower(model::Term term, model::ServerId leader);
  void SetTerm(model::Term term);
  void SetVote(model::ServerId vote);
  void TellRole();
  Append& PendingAppend();
  void AppendEntry(EntryRef entry);
  void CommitUpTo(model::Revision index);
  void Deliver();
  void Promised(model::ServerId to, Message message);
  void Send(model::ServerId to, Message message);

  // election.cc
  void ResetElectionTimer();
  void Stand(bool pre, bool transfer);
  void AskForVotes();
  void CountVotes();
  bool HearsLeaderBut(model::ServerId asker) const;
  void On(model::ServerId from, const VoteRequest& request);
  void On(model::ServerId from, const VoteReply& reply);
  void On(model::ServerId from, const StandNow& stand);

  // follower.cc
  bool AcceptLeader(model::ServerId from, model::Term term);
  void On(model::ServerId from, AppendRequest& request);
  void On(model::ServerId from, const Heartbeat& heartbeat);
  void On(model::ServerId from, const ReadReply& reply);
  void TakeEntries(AppendRequest& request);
  void CutFrom(model::Revision first);
  void Acknowledge();
  void AskForReads();

  // leader.cc
  void BecomeLeader();
  void FollowMembership();
  void On(model::ServerId from, const AppendReply& reply);
  void On(model::ServerId from, const HeartbeatReply& reply);
  void On(model::ServerId from, const ReadRequest& request);
  absl::Status CheckMembership(const model::Membership& next) const;
  void TryCommit();
  bool HasQuorum() const;
  void CountUnanswered();
  void StartRound();
  void ConfirmRounds();
  void GrantReads();
  void SendAppends();
  void SendAppendsTo(model::ServerId to, Progress& follower);
  bool FitsAppend(size_t entries, size_t bytes) const;
  void SendEntries(model::ServerId to, Progress& follower, model::Revision previous,
                   model::Term previous_term, std::vector<EntryRef> entries);
  void GoOnWithTransfer();
  void TellCommit();
  void JudgeCapacity();
  Heartbeat MakeHeartbeat() const;

  const Config config_;
  base::Rng rng_;
  base::Instant now_;
  std::variant<Follower, Candidate, Leader> state_;

  // Hard state.
  model::Term term_;
  model::ServerId vote_;
  Log log_;
  MembershipLog members_;

  model::ServerId leader_;  // of this term, as far as is known
  base::Instant heard_;     // when the leader was heard last
  bool leader_gone_ = false;
  bool leader_no_space_ = false;
  bool leader_overloaded_ = false;
  model::Revision leader_committed_;
  Capacity capacity_;

  model::Revision committed_;
  model::Revision delivered_;  // committed, on this disk too, and given out
  model::Revision first_on_disk_;
  size_t uncommitted_bytes_ = 0;
  // Equal to the log of this term's leader up to here; what is committed always is.
  model::Revision verified_;
  model::Revision acknowledged_;  // to this term's leader
  bool acknowledge_ = false;      // it waits for an answer, news or not
  uint64_t answered_round_ = 0;   // of its heartbeats

  // Appends, and what of the log they have brought to disk. A cut clamps those under way, so that
  // the end of an append makes only durable what it still covers.
  AppendId last_append_;
  AppendId persisted_append_;
  AppendId hard_state_append_;  // holds the newest term and vote
  std::deque<Unpersisted> unpersisted_;
  model::Revision persisted_;
  std::deque<Promise> promises_;

  std::vector<ReadId> fresh_reads_;  // not asked for yet
  std::optional<ForwardedReads> forwarded_reads_;
  uint64_t last_forwarded_id_ = 0;

  Counts counts_;
  Output output_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_RAFT_H_
