// Raft: leading (Raft thesis 3.5, 3.6, 3.10, 4, 6.4).
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/mutant.h"
#include "raft/quorum.h"
#include "raft/raft.h"

namespace pando::raft {

// --- Coming and going -------------------------------------------------------------------------

void Raft::BecomeLeader() {
  CHECK(std::holds_alternative<Candidate>(state_));
  Leader leader;
  leader.first_of_term = log_.last() + 1;
  leader.heartbeat_at = now_;
  leader.confirmed_at = now_;
  state_ = std::move(leader);
  leader_ = config_.id;
  leader_gone_ = false;
  uncommitted_bytes_ = 0;
  for (model::Revision i = committed_ + 1; i <= log_.last(); ++i) {
    uncommitted_bytes_ += log_.At(i)->bytes();
  }
  // Reads that waited for a leader are its own now.
  for (const ReadId id : std::exchange(fresh_reads_, {})) {
    std::get<Leader>(state_).fresh_reads.push_back({.id = id.value()});
  }
  FollowMembership();
  AppendEntry(std::make_shared<const model::Entry>(
      model::Entry{log_.last() + 1, term_, model::EntryKind::kNoop, ""}));
  StartRound();
  TellRole();
}

// One Progress for every other member, whoever they are now.
void Raft::FollowMembership() {
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return;
  for (const model::Member& member : members_.current().members) {
    if (member.id != config_.id) leader->followers.try_emplace(member.id, log_.last() + 1);
  }
  absl::erase_if(leader->followers, [this](const auto& follower) {
    return members_.current().Find(follower.first) == nullptr;
  });
  JudgeCapacity();
}

bool Raft::PeerStarted(base::Instant now, model::ServerId peer, model::StartCount start,
                       model::Term term, model::Revision last) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return true;
  // It may know more than this leader, who then is none.
  if (term > term_) {
    BecomeFollower(term, {});
    return true;
  }
  const auto found = leader->followers.find(peer);
  if (found == leader->followers.end()) return true;
  Progress& follower = found->second;
  // What there is of acknowledgements is of this life, if no other is known.
  if (!follower.start) follower.start = start;
  if (start <= follower.start) return true;
  if (last < follower.match()) return false;
  follower.start = start;
  follower.Restart(log_.last() + 1);
  return true;
}

void Raft::PeerReady(base::Instant now, model::ServerId peer) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return;
  const auto found = leader->followers.find(peer);
  if (found == leader->followers.end()) return;
  if (found->second.state() != Progress::State::kSnapshot) found->second.Restart(log_.last() + 1);
  found->second.told_committed = {};
}

const Progress* Raft::FindProgress(model::ServerId peer) const {
  const auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return nullptr;
  const auto found = leader->followers.find(peer);
  return found == leader->followers.end() ? nullptr : &found->second;
}

// --- Committing -------------------------------------------------------------------------------

void Raft::On(model::ServerId from, const AppendReply& reply) {
  if (reply.term > term_) {
    BecomeFollower(reply.term, {});
    return;
  }
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr || reply.term < term_) return;
  const auto found = leader->followers.find(from);
  if (found == leader->followers.end()) return;
  Progress& follower = found->second;
  if (!reply.accepted) {
    follower.Refused(reply.previous, log_.FindAgreeing(reply.hint, reply.hint_term));
    return;
  }
  CHECK(reply.match <= log_.last());
  if (follower.Taken(reply.match)) TryCommit();
}

// An entry of an earlier term on a majority's disks may still be replaced (thesis 3.6.2, figure
// 3.7): only entries of this term are counted; older ones go with them.
void Raft::TryCommit() {
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr || members_.voters().empty()) return;
  std::vector<model::Revision> matches;
  if (IsVoter()) matches.push_back(persisted_);
  for (const auto& [id, follower] : leader->followers) {
    const bool counts = members_.IsVoter(id) || Is(model::Mutant::kLearnerCounted);
    if (counts) matches.push_back(follower.match());
  }
  const model::Revision reached = ReachedBy(Majority(members_.voters().size()), std::move(matches));
  if (reached >= leader->first_of_term || Is(model::Mutant::kPriorTermCounted)) CommitUpTo(reached);
}

// A commit is told at once: watches and forwarded writes wait for it on the followers.
void Raft::TellCommit() {
  auto& leader = std::get<Leader>(state_);
  for (auto& [id, follower] : leader.followers) {
    if (follower.told_committed >= committed_ || follower.state() == Progress::State::kSnapshot) {
      continue;
    }
    follower.told_committed = committed_;
    Send(id, MakeHeartbeat());
  }
}

Heartbeat Raft::MakeHeartbeat() const {
  return {.term = term_,
          .committed = committed_,
          .round = std::get<Leader>(state_).last_round,
          .no_space = leader_no_space_,
          .overloaded = leader_overloaded_};
}

// --- Rounds of heartbeats ---------------------------------------------------------------------

// The last round is as old as a heartbeat's interval.
void Raft::CountUnanswered() {
  const auto& leader = std::get<Leader>(state_);
  for (const auto& [id, follower] : leader.followers) {
    counts_.heartbeats_unanswered += follower.acked_round < leader.last_round;
  }
}

void Raft::StartRound() {
  auto& leader = std::get<Leader>(state_);
  leader.heartbeat_at = now_ + config_.heartbeat;
  ++leader.last_round;
  leader.rounds.push_back({leader.last_round, now_});
  for (auto& [id, follower] : leader.followers) {
    follower.told_committed = committed_;
    Send(id, MakeHeartbeat());
  }
  ConfirmRounds();  // its own answer, which may be all
}

void Raft::On(model::ServerId from, const HeartbeatReply& reply) {
  if (reply.term > term_) {
    BecomeFollower(reply.term, {});
    return;
  }
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr || reply.term < term_) return;
  const auto found = leader->followers.find(from);
  if (found == leader->followers.end()) return;
  Progress& follower = found->second;
  follower.no_space = reply.no_space;
  follower.stalled = reply.stalled;
  JudgeCapacity();
  follower.Heard(reply.round, reply.verified);
  if (reply.round > follower.acked_round) {
    follower.acked_round = reply.round;
    ConfirmRounds();
  }
}

// What a majority has answered, was true when it was sent.
void Raft::ConfirmRounds() {
  auto& leader = std::get<Leader>(state_);
  if (members_.voters().empty()) return;
  std::vector<uint64_t> acked;
  for (const model::ServerId voter : members_.voters()) {
    acked.push_back(voter == config_.id ? leader.last_round
                                        : leader.followers.at(voter).acked_round);
  }
  leader.confirmed_round = std::max(leader.confirmed_round, ReachedByMajority(std::move(acked)));
  while (!leader.rounds.empty() && leader.rounds.front().number <= leader.confirmed_round) {
    leader.confirmed_at = leader.rounds.front().sent;
    leader.rounds.pop_front();
  }
}

bool Raft::HasQuorum() const {
  const auto& leader = std::get<Leader>(state_);
  return Alone() || Is(model::Mutant::kQuorumUnchecked) ||
         now_ < leader.confirmed_at + config_.election_max;
}

// --- Reads ------------------------------------------------------------------------------------

void Raft::On(model::ServerId from, const ReadRequest& request) {
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr || request.term != term_) return;
  // A follower asks for one at a time, and again while it has no answer.
  std::erase_if(leader->fresh_reads, [from](const PendingRead& read) { return read.from == from; });
  leader->fresh_reads.push_back({.from = from, .id = request.id});
}

// One round for all reads that wait; the next begins when it is confirmed, or with the next
// heartbeat. Before its first entry is committed a leader does not know what is (thesis 6.4).
void Raft::GrantReads() {
  auto& leader = std::get<Leader>(state_);
  if (committed_ < leader.first_of_term && !Is(model::Mutant::kReadBeforeNoop)) return;
  const bool under_way =
      !leader.asked_reads.empty() && leader.asked_reads.back().round > leader.confirmed_round;
  if (!leader.fresh_reads.empty() && !under_way) {
    StartRound();
    for (PendingRead& read : leader.fresh_reads) {
      read.round = leader.last_round;
      read.index = committed_;
      leader.asked_reads.push_back(read);
    }
    leader.fresh_reads.clear();
  }
  while (!leader.asked_reads.empty() &&
         (leader.asked_reads.front().round <= leader.confirmed_round ||
          Is(model::Mutant::kReadUnconfirmed))) {
    const PendingRead read = leader.asked_reads.front();
    leader.asked_reads.pop_front();
    if (read.from) {
      Send(read.from, ReadReply{term_, read.id, read.index});
    } else {
      output_.reads.push_back({ReadId(read.id), read.index});
    }
  }
}

// --- Replication ------------------------------------------------------------------------------

void Raft::SendAppends() {
  auto& leader = std::get<Leader>(state_);
  for (auto& [id, follower] : leader.followers) SendAppendsTo(id, follower);
}

void Raft::SendAppendsTo(model::ServerId to, Progress& follower) {
  auto& leader = std::get<Leader>(state_);
  const bool probe = follower.state() == Progress::State::kProbe;
  while (follower.MaySend() && follower.HasRoom() && !follower.waits_for_disk) {
    if (!probe && follower.next() > log_.last()) return;
    const model::Revision previous = follower.next() - 1;
    const std::optional<model::Term> previous_term = log_.TermAt(previous);
    if (!previous_term) {
      // The term of `previous` comes with the entries, so it is read too.
      if (previous >= first_on_disk_) {
        follower.waits_for_disk = true;
        if (!leader.disk_read) {
          leader.disk_read = previous;
          // Enough for `previous` and one entry more, however large.
          output_.log_reads.push_back(
              {previous, config_.append_bytes_max + 2 * model::kCommandBytesMax});
        }
      } else {
        follower.WaitForSnapshot();
        output_.snapshots.push_back(to);
      }
      return;
    }
    std::vector<EntryRef> entries;
    size_t bytes = 0;
    for (model::Revision i = follower.next(); i <= log_.last(); ++i) {
      bytes += log_.At(i)->bytes();
      if (!entries.empty() && !FitsAppend(entries.size(), bytes)) break;
      entries.push_back(log_.At(i));
    }
    SendEntries(to, follower, previous, *previous_term, std::move(entries));
  }
}

bool Raft::FitsAppend(size_t entries, size_t bytes) const {
  return entries < model::kAppendEntriesMax && bytes <= config_.append_bytes_max;
}

void Raft::SendEntries(model::ServerId to, Progress& follower, model::Revision previous,
                       model::Term previous_term, std::vector<EntryRef> entries) {
  size_t bytes = 0;
  for (const EntryRef& entry : entries) bytes += entry->bytes();
  follower.Sent(previous + entries.size(), bytes, std::get<Leader>(state_).last_round);
  follower.told_committed = committed_;
  Send(to, AppendRequest{.term = term_,
                         .previous = previous,
                         .previous_term = previous_term,
                         .committed = committed_,
                         .entries = std::move(entries)});
}

// They serve everyone who waits and needs just these; the others ask anew. They may have been read
// before another leader cut them: what the log holds otherwise now is not sent.
void Raft::EntriesRead(base::Instant now, model::Revision first,
                       std::vector<model::Entry> entries) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr || leader->disk_read != first) return;
  leader->disk_read.reset();
  std::vector<EntryRef> refs;
  size_t bytes = 0;
  for (model::Entry& entry : entries) {
    bytes += entry.bytes();
    if (refs.size() > 1 && !FitsAppend(refs.size(), bytes)) break;
    if (entry.index >= log_.previous() && log_.TermAt(entry.index) != entry.term) break;
    refs.push_back(std::make_shared<const model::Entry>(std::move(entry)));
  }
  for (auto& [id, follower] : leader->followers) {
    if (!std::exchange(follower.waits_for_disk, false)) continue;
    if (refs.empty() || !follower.MaySend() || follower.next() != first + 1) continue;
    SendEntries(id, follower, first, refs.front()->term, {refs.begin() + 1, refs.end()});
  }
}

void Raft::SnapshotSent(base::Instant now, model::ServerId to, bool good) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return;
  const auto found = leader->followers.find(to);
  if (found == leader->followers.end()) return;
  if (found->second.state() != Progress::State::kSnapshot) return;
  // After one that failed, the next try comes with a heartbeat's answer and not at once.
  found->second.SnapshotSent(now_ + (good ? config_.install_max : config_.heartbeat * 4));
}

// --- Room ---------------------------------------------------------------------------------------

bool Raft::MayPropose() const {
  const auto* leader = std::get_if<Leader>(&state_);
  return leader != nullptr && !leader->transfer &&
         uncommitted_bytes_ < config_.uncommitted_bytes_max;
}

// What the edges are told: what this leader lacks, or so many voters that nothing can be committed.
void Raft::JudgeCapacity() {
  const auto& leader = std::get<Leader>(state_);
  size_t with_room = 0;
  bool any_full = false;
  for (const model::ServerId voter : members_.voters()) {
    const bool self = voter == config_.id;
    any_full |= self ? capacity_.no_space : leader.followers.at(voter).no_space;
    with_room += self ? capacity_.takes_entries() : leader.followers.at(voter).HasRoom();
  }
  const bool stuck = with_room < Majority(members_.voters().size());
  leader_no_space_ = capacity_.no_space || (stuck && any_full);
  leader_overloaded_ = capacity_.overloaded || (stuck && !any_full);
}

// --- Membership -------------------------------------------------------------------------------

absl::Status Raft::CheckMembership(const model::Membership& next) const {
  std::vector<model::ServerId> voters;
  for (const model::Member& member : next.members) {
    if (member.role == model::Member::Role::kVoter) voters.push_back(member.id);
  }
  std::vector<model::ServerId> changed;
  std::set_symmetric_difference(voters.begin(), voters.end(), members_.voters().begin(),
                                members_.voters().end(), std::back_inserter(changed));
  CHECK(changed.size() <= 1);
  CHECK(!voters.empty());
  if (Is(model::Mutant::kTwoChangesAtOnce)) return absl::OkStatus();
  if (changed.empty()) return absl::OkStatus();  // majorities stay what they are
  if (members_.index() > committed_) {
    return absl::AbortedError("another change of the membership is not committed yet");
  }
  if (committed_ < std::get<Leader>(state_).first_of_term) {
    return absl::AbortedError("the leader is new: nothing of its term is committed yet");
  }
  return absl::OkStatus();
}

// --- Handing over -----------------------------------------------------------------------------

bool Raft::transferring() const {
  const auto* leader = std::get_if<Leader>(&state_);
  return leader != nullptr && leader->transfer.has_value();
}

model::ServerId Raft::BestSuccessor() const {
  const auto* leader = std::get_if<Leader>(&state_);
  model::ServerId best;
  if (leader == nullptr) return best;
  for (const auto& [id, follower] : leader->followers) {
    // Who has not answered what a majority has is perhaps gone.
    const bool there = follower.acked_round > 0 && follower.acked_round >= leader->confirmed_round;
    if (!members_.IsVoter(id) || !follower.HasRoom() || !there) continue;
    if (!best || follower.match() > leader->followers.at(best).match()) best = id;
  }
  return best;
}

absl::Status Raft::TransferLeadership(base::Instant now, model::ServerId to) {
  Observe(now);
  auto* leader = std::get_if<Leader>(&state_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  if (leader->transfer) return absl::AbortedError("the leadership is being handed over already");
  if (!to) to = BestSuccessor();
  if (!to) return absl::InvalidArgumentError("there is no other voter to hand over to");
  if (to == config_.id) return absl::OkStatus();
  if (!members_.IsVoter(to)) {
    return absl::InvalidArgumentError(absl::StrCat("server ", to.value(), " is no voter"));
  }
  leader->transfer = Transfer{.to = to, .until = now_ + config_.election_max};
  return absl::OkStatus();
}

// Told once the successor has everything; nothing new comes in meanwhile.
void Raft::GoOnWithTransfer() {
  auto& leader = std::get<Leader>(state_);
  if (!leader.transfer || leader.transfer->told) return;
  const auto found = leader.followers.find(leader.transfer->to);
  if (found == leader.followers.end()) {
    leader.transfer.reset();
    return;
  }
  if (found->second.match() < log_.last()) return;
  leader.transfer->told = true;
  Send(found->first, StandNow{term_});
}

}  // namespace pando::raft
