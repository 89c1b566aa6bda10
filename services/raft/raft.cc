#include "raft/raft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "codec/membership.h"
#include "model/mutant.h"
#include "raft/quorum.h"

namespace pando::raft {
namespace {

model::Membership MembershipOf(const model::Entry& entry) {
  model::Membership membership;
  CHECK(codec::DecodeMembership(entry.payload, &membership));
  return membership;
}

}  // namespace

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

Raft::Raft(Config config, Recovered recovered, base::Rng rng, base::Instant now)
    : config_(config),
      rng_(rng),
      now_(now),
      state_(Follower{}),
      term_(recovered.term),
      vote_(recovered.vote),
      log_(recovered.previous, recovered.previous_term),
      members_(recovered.applied, std::move(recovered.membership)),
      heard_(now - config.election_max),
      committed_(recovered.applied),
      delivered_(recovered.applied),
      first_on_disk_(recovered.first_on_disk),
      verified_(recovered.applied) {
  CHECK(config_.id);
  CHECK(config_.heartbeat * 3 <= config_.election_min);
  CHECK(config_.election_min < config_.election_max);
  for (model::Entry& entry : recovered.entries) {
    const bool newer = entry.index > recovered.applied;
    if (newer && entry.kind == model::EntryKind::kMembership) {
      members_.Push(entry.index, MembershipOf(entry));
    }
    log_.Push(std::make_shared<const model::Entry>(std::move(entry)));
  }
  CHECK(recovered.previous <= recovered.applied);
  CHECK(recovered.applied <= log_.last());
  // A snapshot may have come in force before the term that its leader told of was on disk. Nothing
  // was voted in that term then.
  if (term_ < log_.last_term()) {
    term_ = log_.last_term();
    vote_ = {};
  }
  persisted_ = log_.last();
  if (Is(model::Mutant::kVoteForgotten)) vote_ = {};
  if (Is(model::Mutant::kRecoveredIsCommitted)) CommitUpTo(log_.last());
  // An answer to a read of an earlier life must not be taken for one of this.
  last_forwarded_id_ = rng_.Below(uint64_t{1} << 62);
  ResetElectionTimer();
}

// --- Inputs -----------------------------------------------------------------------------------

// Before anything else that an input means: a leader that a majority has not answered for too long
// is none, however it spent that time.
void Raft::Observe(base::Instant now) {
  CHECK(now >= now_);
  now_ = now;
  const auto* leader = std::get_if<Leader>(&state_);
  if (leader != nullptr && !HasQuorum()) BecomeFollower(term_, {});
}

void Raft::Tick(base::Instant now) {
  Observe(now);
  if (auto* leader = std::get_if<Leader>(&state_)) {
    if (now_ >= leader->heartbeat_at) {
      CountUnanswered();
      StartRound();
    }
    if (leader->transfer && now_ >= leader->transfer->until) leader->transfer.reset();
    for (auto& [id, follower] : leader->followers) {
      if (now_ >= follower.snapshot_patience()) follower.Restart(log_.last() + 1);
    }
    return;
  }
  if (auto* candidate = std::get_if<Candidate>(&state_)) {
    // It asks again from the start: whoever won meanwhile must not be disturbed. A vote that is
    // still on its way to the disk is waited for.
    if (now_ < candidate->again_at) return;
    if (candidate->vote) {
      candidate->again_at = now_ + config_.election_max;
    } else {
      Stand(true, false);
    }
    return;
  }
  if (now_ < NextDeadline()) return;
  if (MayStand()) {
    Stand(true, false);
  } else {
    BecomeFollower(term_, {});
  }
}

void Raft::Receive(base::Instant now, model::ServerId from, Message message) {
  Observe(now);
  if (from == config_.id) return;
  std::visit([this, from](auto& m) { On(from, m); }, message);
}

void Raft::SetInitialMembership(base::Instant now, model::Membership membership) {
  Observe(now);
  CHECK(members_.current().members.empty());
  CHECK(log_.last() == log_.previous());
  members_ = MembershipLog({}, std::move(membership));
  ResetElectionTimer();
}

AppendId Raft::Remember(base::Instant now, const model::Formation& formation) {
  Observe(now);
  PendingAppend().formation = formation;
  return last_append_;
}

void Raft::PeerLost(base::Instant now, model::ServerId peer) {
  Observe(now);
  if (role() == Role::kLeader || peer != leader_) return;
  leader_gone_ = true;
  const base::Instant soon = now_ + Uniform(base::Duration(0), config_.failover_first_max);
  if (auto* follower = std::get_if<Follower>(&state_)) {
    follower->election_at = std::min(follower->election_at, soon);
  } else if (auto* candidate = std::get_if<Candidate>(&state_); candidate->pre) {
    candidate->again_at = std::min(candidate->again_at, soon);
  }
}

absl::StatusOr<model::Revision> Raft::Propose(base::Instant now, model::EntryKind kind,
                                              std::string payload) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  if (leader->transfer) return absl::UnavailableError("the leadership is being handed over");
  if (kind == model::EntryKind::kCommand && !MayPropose()) {
    return absl::ResourceExhaustedError("too much is not committed yet");
  }
  if (kind == model::EntryKind::kMembership) {
    model::Membership next;
    CHECK(codec::DecodeMembership(payload, &next));
    PANDO_RETURN_IF_ERROR(CheckMembership(next));
  }
  AppendEntry(std::make_shared<const model::Entry>(
      model::Entry{log_.last() + 1, term_, kind, std::move(payload)}));
  return log_.last();
}

void Raft::Read(base::Instant now, ReadId id) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) {
    fresh_reads_.push_back(id);
  } else {
    leader->fresh_reads.push_back({.id = id.value()});
  }
}

void Raft::Persisted(base::Instant now, AppendId id) {
  Observe(now);
  CHECK(id <= last_append_);
  persisted_append_ = std::max(persisted_append_, id);
  while (!unpersisted_.empty() && unpersisted_.front().id <= id) {
    persisted_ = std::max(persisted_, unpersisted_.front().last);
    unpersisted_.pop_front();
  }
  while (!promises_.empty() && promises_.front().after <= id) {
    output_.messages.emplace_back(promises_.front().to, std::move(promises_.front().message));
    promises_.pop_front();
  }
  auto* candidate = std::get_if<Candidate>(&state_);
  if (candidate != nullptr && candidate->vote && id >= candidate->vote) {
    candidate->vote = {};
    candidate->granted.insert(config_.id);
    AskForVotes();
    CountVotes();
  }
  TryCommit();
  Deliver();
}

void Raft::Compact(model::Revision stored) {
  CHECK(stored <= delivered_);
  members_.Compact(stored);
  log_.Compact(stored, members_.current().members.size() > 1 ? config_.tail_bytes_max : 0);
}

void Raft::DropPrefix(model::Revision first) {
  CHECK(first >= first_on_disk_);
  CHECK(first <= committed_ + 1);
  first_on_disk_ = first;
}

void Raft::Installed(base::Instant now, model::Revision index, model::Term term,
                     model::Membership membership) {
  Observe(now);
  CHECK(!output_.append);
  if (index <= delivered_) {
    // The log has come as far by itself meanwhile; only on disk it begins anew.
    first_on_disk_ = std::max(first_on_disk_, index + 1);
    return;
  }
  if (log_.TermAt(index) == term) {
    persisted_ = std::max(persisted_, index);
    delivered_ = index;
    CommitUpTo(index);  // it may lead by now, and counts what is not committed
    std::vector<std::pair<model::Revision, model::Membership>> later;
    for (model::Revision i = index + 1; i <= log_.last(); ++i) {
      if (log_.At(i)->kind == model::EntryKind::kMembership) {
        later.emplace_back(i, MembershipOf(*log_.At(i)));
      }
    }
    log_.Compact(index, 0);
    members_ = MembershipLog(index, std::move(membership));
    for (auto& [at, next] : later) members_.Push(at, std::move(next));
  } else {
    CHECK(index > committed_);
    log_.Reset(index, term);
    members_ = MembershipLog(index, std::move(membership));
    // What is still on its way to the disk is of the log that is gone.
    for (Unpersisted& append : unpersisted_) append.last = std::min(append.last, index);
    persisted_ = std::min(persisted_, index);
  }
  first_on_disk_ = log_.first();
  persisted_ = std::max(persisted_, index);
  committed_ = std::max(committed_, index);
  delivered_ = index;
  verified_ = std::max(verified_, committed_);
  acknowledge_ = true;
  Deliver();
  CHECK(log_.last() >= index);
}

void Raft::SetCapacity(Capacity capacity) {
  if (capacity == capacity_) return;
  capacity_ = capacity;
  if (role() == Role::kLeader) JudgeCapacity();
}

// --- State ------------------------------------------------------------------------------------

Role Raft::role() const {
  if (std::holds_alternative<Leader>(state_)) return Role::kLeader;
  if (std::holds_alternative<Candidate>(state_)) return Role::kCandidate;
  return IsVoter() ? Role::kFollower : Role::kLearner;
}

base::Duration Raft::Uniform(base::Duration low, base::Duration high) {
  return base::Duration(static_cast<int64_t>(
      rng_.Between(static_cast<uint64_t>(low.count()), static_cast<uint64_t>(high.count()))));
}

model::Revision Raft::known_committed() const {
  const auto* leader = std::get_if<Leader>(&state_);
  return std::max(committed_, leader != nullptr ? leader->first_of_term : leader_committed_);
}

// Also one that its own log makes no voter any more, until that is committed: nobody without that
// entry can win against it (thesis 4.2.2). Its own vote does not count then.
bool Raft::MayStand() const { return members_.MayBeVoter(config_.id, config_.storage, committed_); }

bool Raft::IsVoter() const { return members_.IsVoter(config_.id, config_.storage); }

bool Raft::Alone() const { return members_.voters().size() == 1 && IsVoter(); }

void Raft::SetTerm(model::Term term) {
  CHECK(term > term_);
  term_ = term;
  SetVote({});
  leader_ = {};
  // What this term's leader has in its log is not known; but what is committed, it has.
  verified_ = committed_;
  acknowledged_ = {};
  acknowledge_ = false;
  answered_round_ = 0;
}

void Raft::SetVote(model::ServerId vote) {
  vote_ = vote;
  PendingAppend().vote = Append::Vote{term_, vote_};
  hard_state_append_ = last_append_;
}

// Also for a change of nothing but the leader.
void Raft::BecomeFollower(model::Term term, model::ServerId leader) {
  const Role before = role();
  const bool same =
      before != Role::kLeader && before != Role::kCandidate && term == term_ && leader == leader_;
  if (same) return;
  if (auto* old = std::get_if<Leader>(&state_)) {
    // Its own reads are asked of whoever comes next.
    for (const PendingRead& read : old->asked_reads) {
      if (!read.from) fresh_reads_.push_back(ReadId(read.id));
    }
    for (const PendingRead& read : old->fresh_reads) {
      if (!read.from) fresh_reads_.push_back(ReadId(read.id));
    }
    uncommitted_bytes_ = 0;
    leader_no_space_ = leader_overloaded_ = false;
  }
  if (forwarded_reads_ && leader != leader_) {
    for (const ReadId id : forwarded_reads_->reads) fresh_reads_.push_back(id);
    forwarded_reads_.reset();
  }
  if (term > term_) SetTerm(term);
  if (leader) leader_gone_ = false;
  leader_ = leader;
  if (!std::holds_alternative<Follower>(state_)) {
    state_ = Follower{};
    ResetElectionTimer();
  }
  TellRole();
}

void Raft::TellRole() { output_.role = RoleChange{role(), term_, leader_}; }

// --- The log ----------------------------------------------------------------------------------

Append& Raft::PendingAppend() {
  if (!output_.append) {
    ++last_append_;
    output_.append = Append{.id = last_append_};
    unpersisted_.push_back({last_append_, log_.last()});
  }
  return *output_.append;
}

void Raft::AppendEntry(EntryRef entry) {
  PendingAppend().entries.push_back(entry);
  if (entry->kind == model::EntryKind::kMembership) {
    members_.Push(entry->index, MembershipOf(*entry));
    FollowMembership();
  }
  if (role() == Role::kLeader) uncommitted_bytes_ += entry->bytes();
  log_.Push(std::move(entry));
  unpersisted_.back().last = log_.last();
}

void Raft::CommitUpTo(model::Revision index) {
  CHECK(index <= log_.last());
  if (index <= committed_) return;
  if (role() == Role::kLeader) {
    for (model::Revision i = committed_ + 1; i <= index; ++i) {
      uncommitted_bytes_ -= log_.At(i)->bytes();
    }
  }
  committed_ = index;
  verified_ = std::max(verified_, committed_);
  Deliver();
}

// What is committed by others' disks alone waits for this one: the store must never be ahead of
// the log that a restart reads.
void Raft::Deliver() {
  const bool unsynced = Is(model::Mutant::kApplyBeforeSync);
  const model::Revision last = unsynced ? committed_ : std::min(committed_, persisted_);
  while (delivered_ < last) {
    ++delivered_;
    output_.committed.push_back(log_.At(delivered_));
  }
}

void Raft::Promised(model::ServerId to, Message message) {
  if (persisted_append_ >= hard_state_append_ || Is(model::Mutant::kPromiseBeforeSync)) {
    output_.messages.emplace_back(to, std::move(message));
  } else {
    promises_.push_back({hard_state_append_, to, std::move(message)});
  }
}

void Raft::Send(model::ServerId to, Message message) {
  output_.messages.emplace_back(to, std::move(message));
}

// --- Output -----------------------------------------------------------------------------------

Output Raft::Take(base::Instant now) {
  Observe(now);
  if (std::holds_alternative<Leader>(state_)) {
    GoOnWithTransfer();
    GrantReads();
    SendAppends();
    TellCommit();
    // A leader that has removed itself stays until that is committed, and no longer.
    if (!IsVoter() && committed_ >= members_.index()) BecomeFollower(term_, {});
  } else {
    Acknowledge();
    AskForReads();
  }
  return std::exchange(output_, {});
}

base::Instant Raft::NextDeadline() const {
  if (const auto* leader = std::get_if<Leader>(&state_)) return leader->heartbeat_at;
  if (const auto* candidate = std::get_if<Candidate>(&state_)) return candidate->again_at;
  if (MayStand()) return std::get<Follower>(state_).election_at;
  // A learner asks nobody, but forgets a leader when a voter would have.
  return leader_ ? heard_ + 2 * config_.election_max : base::kNever;
}

}  // namespace pando::raft
