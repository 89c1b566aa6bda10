// Raft: following a leader (Raft thesis 3.5).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/mutant.h"
#include "raft/raft.h"

namespace pando::raft {

// Whether the message is from the leader of the newest term; then it is followed.
bool Raft::AcceptLeader(model::ServerId from, model::Term term) {
  if (term < term_) {
    // It does not know yet that it leads no more, or this server has a term that no majority has:
    // either way its term has to rise.
    Promised(from, HeartbeatReply{.term = term_});
    return false;
  }
  // Two leaders of one term cannot be.
  CHECK(term > term_ || role() != Role::kLeader);
  CHECK(term > term_ || !leader_ || leader_ == from);
  BecomeFollower(term, from);
  heard_ = now_;
  leader_gone_ = false;
  ResetElectionTimer();
  return true;
}

void Raft::On(model::ServerId from, AppendRequest& request) {
  if (!AcceptLeader(from, request.term)) return;
  leader_committed_ = std::max(leader_committed_, request.committed);
  // What is committed here, the leader has: it need not be compared, and may be compacted.
  if (request.previous < committed_) {
    const auto known = static_cast<size_t>(
        std::min<uint64_t>(committed_ - request.previous, request.entries.size()));
    request.entries.erase(request.entries.begin(),
                          request.entries.begin() + static_cast<std::ptrdiff_t>(known));
    request.previous = committed_;
    request.previous_term = *log_.TermAt(committed_);
  }
  if (log_.TermAt(request.previous) != request.previous_term) {
    const model::Revision hint = log_.FindAgreeing(request.previous, request.previous_term);
    Promised(from, AppendReply{.term = term_,
                               .accepted = false,
                               .previous = request.previous,
                               .hint = hint,
                               .hint_term = *log_.TermAt(hint)});
    return;
  }
  TakeEntries(request);
  if (request.committed > committed_) CommitUpTo(std::min(request.committed, verified_));
}

void Raft::TakeEntries(AppendRequest& request) {
  model::Revision at = request.previous;
  for (EntryRef& entry : request.entries) {
    ++at;
    CHECK(entry->index == at);
    if (log_.TermAt(at) == entry->term) continue;
    if (!capacity_.takes_entries()) {
      at = at - 1;
      break;
    }
    if (at <= log_.last()) CutFrom(at);
    AppendEntry(std::move(entry));
  }
  if (Is(model::Mutant::kOldAppendCuts) && committed_ <= at && at < log_.last()) CutFrom(at + 1);
  verified_ = std::max(verified_, at);
  // News will be told when they are on disk; what is no news is an answer too.
  if (persisted_ >= at) acknowledge_ = true;
}

void Raft::CutFrom(model::Revision first) {
  CHECK(first > committed_);
  log_.CutFrom(first);
  members_.CutFrom(first);
  persisted_ = std::min(persisted_, first - 1);
  for (Unpersisted& append : unpersisted_) append.last = std::min(append.last, first - 1);
  if (output_.append) {
    std::erase_if(output_.append->entries, [first](const auto& e) { return e->index >= first; });
  }
}

// Told once for all that happened since the last Take.
void Raft::Acknowledge() {
  if (!leader_ || leader_ == config_.id) return;
  const bool unsynced = Is(model::Mutant::kAckBeforeSync);
  const model::Revision match = unsynced ? verified_ : std::min(persisted_, verified_);
  if (match <= acknowledged_ && !acknowledge_) return;
  acknowledged_ = std::max(acknowledged_, match);
  acknowledge_ = false;
  Promised(leader_, AppendReply{.term = term_, .accepted = true, .match = match});
}

void Raft::On(model::ServerId from, const Heartbeat& heartbeat) {
  if (!AcceptLeader(from, heartbeat.term)) return;
  leader_committed_ = std::max(leader_committed_, heartbeat.committed);
  leader_no_space_ = heartbeat.no_space;
  leader_overloaded_ = heartbeat.overloaded;
  const model::Revision safe = Is(model::Mutant::kUnverifiedCommitted) ? log_.last() : verified_;
  if (heartbeat.committed > committed_) CommitUpTo(std::min(heartbeat.committed, safe));
  // One that only tells a commit is of a round that has its answer.
  if (heartbeat.round > answered_round_) {
    answered_round_ = heartbeat.round;
    Promised(from, HeartbeatReply{.term = term_,
                                  .round = heartbeat.round,
                                  .verified = verified_,
                                  .no_space = capacity_.no_space,
                                  .stalled = capacity_.stalled});
    // What it has acknowledged to this leader may be lost, and nothing else may come.
    if (acknowledged_) acknowledge_ = true;
  }
  // The request or its answer may be lost.
  if (forwarded_reads_ && now_ >= forwarded_reads_->asked + config_.heartbeat) {
    forwarded_reads_->asked = now_;
    Send(from, ReadRequest{term_, forwarded_reads_->id});
  }
}

// One request for all reads that wait, and the next when it is answered.
void Raft::AskForReads() {
  if (!leader_ || fresh_reads_.empty() || forwarded_reads_) return;
  forwarded_reads_ = ForwardedReads{++last_forwarded_id_, std::exchange(fresh_reads_, {}), now_};
  Send(leader_, ReadRequest{term_, forwarded_reads_->id});
}

void Raft::On(model::ServerId from, const ReadReply& reply) {
  if (reply.term != term_ || from != leader_) return;
  if (!forwarded_reads_ || forwarded_reads_->id != reply.id) return;
  for (const ReadId id : forwarded_reads_->reads) output_.reads.push_back({id, reply.index});
  forwarded_reads_.reset();
}

}  // namespace pando::raft
