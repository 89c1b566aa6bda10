#include "raft/raft.h"

#include <utility>

#include "base/check.h"
#include "codec/membership.h"
#include "model/limits.h"

namespace pando::raft {

const char* RoleName(Role role) {
  switch (role) {
    case Role::kLeader:
      return "LEADER";
    case Role::kFollower:
      return "FOLLOWER";
    case Role::kLearner:
      return "LEARNER";
    case Role::kCandidate:
      return "CANDIDATE";
  }
  return "UNKNOWN";
}

Raft::Raft(Config config, Recovered recovered, base::Rng rng, base::Instant)
    : config_(config),
      rng_(rng),
      term_(recovered.term),
      vote_(recovered.vote),
      log_(recovered.previous, recovered.previous_term),
      membership_(std::move(recovered.membership)),
      committed_(recovered.applied) {
  for (model::Entry& entry : recovered.entries) {
    if (entry.kind == model::EntryKind::kMembership && entry.index > recovered.applied) {
      CHECK(codec::DecodeMembership(entry.payload, &membership_));
    }
    log_.Push(std::make_shared<const model::Entry>(std::move(entry)));
  }
  CHECK(recovered.previous <= recovered.applied);
  CHECK(recovered.applied <= log_.last());
  CHECK(term_ >= log_.last_term());
  CHECK(membership_.members.size() == 1);
  CHECK(membership_.members[0].id == config_.id);
  persisted_ = log_.last();
}

void Raft::Tick(base::Instant) {
  if (role_ == Role::kFollower) StandForElection();
}

void Raft::Receive(base::Instant, model::ServerId, Message) {}
void Raft::PeerLost(base::Instant, model::ServerId) {}
void Raft::EntriesRead(model::Revision, std::vector<model::Entry>) {}

// --- Election ---------------------------------------------------------------------------------

void Raft::StandForElection() {
  role_ = Role::kCandidate;
  ++term_;
  vote_ = config_.id;
  PendingAppend().vote = Append::Vote{term_, vote_};
  election_ = last_append_;
  output_.role = RoleChange{role_, term_, leader()};
}

// Its own vote is the majority, but only once it is on disk: before that, a crash and a restart
// could lead in the same term again (Raft 3.8).
void Raft::BecomeLeader() {
  CHECK(role_ == Role::kCandidate);
  role_ = Role::kLeader;
  election_ = {};
  first_of_term_ = log_.last() + 1;
  AppendEntry(model::EntryKind::kNoop, "");
  output_.role = RoleChange{role_, term_, leader()};
}

// --- The log ----------------------------------------------------------------------------------

Append& Raft::PendingAppend() {
  if (!output_.append) {
    ++last_append_;
    output_.append = Append{.id = last_append_};
    unpersisted_.push_back({last_append_, log_.last()});
  }
  return *output_.append;
}

void Raft::AppendEntry(model::EntryKind kind, std::string payload) {
  model::Entry entry{log_.last() + 1, term_, kind, std::move(payload)};
  PendingAppend().entries.push_back(entry);
  log_.Push(std::make_shared<const model::Entry>(std::move(entry)));
  unpersisted_.back().last = log_.last();
}

absl::StatusOr<model::Revision> Raft::Propose(model::EntryKind kind, std::string payload) {
  if (role_ != Role::kLeader) return absl::FailedPreconditionError("not the leader");
  if (kind == model::EntryKind::kMembership) {
    CHECK(codec::DecodeMembership(payload, &membership_));
  }
  AppendEntry(kind, std::move(payload));
  return log_.last();
}

void Raft::Persisted(base::Instant, AppendId id) {
  CHECK(id <= last_append_);
  while (!unpersisted_.empty() && unpersisted_.front().id <= id) {
    CHECK(unpersisted_.front().last >= persisted_);
    persisted_ = unpersisted_.front().last;
    unpersisted_.pop_front();
  }
  if (election_ && id >= election_) BecomeLeader();
  Commit();
}

// A leader commits by counting entries of its own term only; older ones go with them (Raft 3.6.2).
void Raft::Commit() {
  if (role_ != Role::kLeader || persisted_ < first_of_term_) return;
  while (committed_ < persisted_) {
    ++committed_;
    output_.committed.push_back(log_.At(committed_));
  }
  GrantReads();
}

void Raft::Compact(model::Revision stored) {
  CHECK(stored <= committed_);
  log_.Compact(stored, membership_.members.size() > 1 ? model::kLogTailBytesMax : 0);
}

// --- Reads ------------------------------------------------------------------------------------

void Raft::Read(base::Instant, ReadId id) {
  if (role_ != Role::kLeader && role_ != Role::kCandidate) {
    output_.reads.push_back({.id = id});
    return;
  }
  waiting_reads_.push_back(id);
  GrantReads();
}

// A majority of one needs no round; but a leader knows what is committed only when its first entry
// is (Raft 6.4).
void Raft::GrantReads() {
  if (role_ != Role::kLeader || committed_ < first_of_term_) return;
  for (const ReadId id : waiting_reads_) {
    output_.reads.push_back({.id = id, .granted = true, .index = committed_});
  }
  waiting_reads_.clear();
}

// --- Output -----------------------------------------------------------------------------------

bool Raft::HasOutput() const {
  return output_.append || output_.role || !output_.messages.empty() ||
         !output_.committed.empty() || !output_.reads.empty() || !output_.log_reads.empty();
}

Output Raft::Take() { return std::exchange(output_, {}); }

base::Instant Raft::NextDeadline() const {
  return role_ == Role::kFollower ? base::Instant() : base::kNever;
}

}  // namespace pando::raft
