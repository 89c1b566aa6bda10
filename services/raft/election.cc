// Raft: who leads (Raft thesis 3.4, 9.6).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/mutant.h"
#include "raft/quorum.h"
#include "raft/raft.h"

namespace pando::raft {
// The only voter waits for nobody.
void Raft::ResetElectionTimer() {
  auto* follower = std::get_if<Follower>(&state_);
  if (follower == nullptr) return;
  follower->election_at =
      Alone() ? now_ : now_ + Uniform(config_.election_min, config_.election_max);
}

// A leader that asks for a vote is none any more.
bool Raft::HearsLeaderBut(model::ServerId asker) const {
  if (role() == Role::kLeader) return true;
  return leader_ && leader_ != asker && !leader_gone_ && now_ < heard_ + config_.election_min;
}

void Raft::Stand(bool pre, bool transfer) {
  if (!MayStand()) {
    BecomeFollower(term_, leader_);
    return;
  }
  Candidate candidate;
  candidate.transfer = transfer;
  candidate.again_at =
      now_ + (pre && leader_gone_ ? Uniform(config_.failover_again_min, config_.failover_again_max)
                                  : Uniform(config_.election_min, config_.election_max));
  candidate.pre = pre && !Alone() && !Is(model::Mutant::kPreVoteSkipped);
  if (candidate.pre) {
    candidate.granted.insert(config_.id);
  } else {
    ++counts_.elections;
    SetTerm(term_ + 1);
    SetVote(config_.id);
    candidate.vote = last_append_;
  }
  if (forwarded_reads_) {
    for (const ReadId id : forwarded_reads_->reads) fresh_reads_.push_back(id);
    forwarded_reads_.reset();
  }
  const bool again = std::holds_alternative<Candidate>(state_);
  const bool told = again && leader_ == model::ServerId();
  // Asking once does not forget the leader, who may be there all the same; but it is not relied
  // upon. Whoever has to ask again has none: its clients are to go elsewhere.
  if (leader_gone_ || !candidate.pre || again) leader_ = {};
  const bool pre_vote = candidate.pre;
  state_ = std::move(candidate);
  if (!told) TellRole();
  // Its own vote has to be on disk before anybody is asked: after a crash the log might be shorter
  // than what the answers were given for.
  if (pre_vote) AskForVotes();
}

void Raft::AskForVotes() {
  const auto& candidate = std::get<Candidate>(state_);
  for (const model::ServerId voter : members_.voters()) {
    if (voter == config_.id) continue;
    Send(voter, VoteRequest{.term = candidate.pre ? term_ + 1 : term_,
                            .pre_vote = candidate.pre,
                            .transfer = candidate.transfer,
                            .last = log_.last(),
                            .last_term = log_.last_term()});
  }
}

void Raft::CountVotes() {
  const auto& candidate = std::get<Candidate>(state_);
  size_t votes = 0;
  for (const model::ServerId voter : members_.voters()) votes += candidate.granted.contains(voter);
  if (votes < Majority(members_.voters().size())) return;
  if (candidate.pre) {
    Stand(false, false);
  } else {
    BecomeLeader();
  }
}

// A vote is given also by one that does not know that it is a voter: the candidate may know more.
void Raft::On(model::ServerId from, const VoteRequest& request) {
  const bool current = Is(model::Mutant::kVoteForShorterLog) ||
                       request.last_term > log_.last_term() ||
                       (request.last_term == log_.last_term() && request.last >= log_.last());
  if (request.pre_vote) {
    const bool granted = request.term > term_ && current && !HearsLeaderBut(from);
    Promised(from, VoteReply{granted ? request.term : term_, true, granted});
    return;
  }
  if (request.term < term_) {
    Promised(from, VoteReply{term_, false, false});
    return;
  }
  // Who hears a leader does not even take note of the term.
  if (HearsLeaderBut(from) && !request.transfer) return;
  if (request.term > term_) BecomeFollower(request.term, {});
  const bool granted = current && (!vote_ || vote_ == from) && role() != Role::kLeader;
  if (granted && !vote_) SetVote(from);
  if (granted) ResetElectionTimer();
  Promised(from, VoteReply{term_, false, granted});
}

void Raft::On(model::ServerId from, const VoteReply& reply) {
  auto* candidate = std::get_if<Candidate>(&state_);
  const bool asked = candidate != nullptr && candidate->pre == reply.pre_vote;
  if (asked && reply.granted && reply.term == (candidate->pre ? term_ + 1 : term_)) {
    candidate->granted.insert(from);
    CountVotes();
    return;
  }
  if (!reply.granted && reply.term > term_) {
    BecomeFollower(reply.term, {});
  } else if (asked && !reply.granted && !reply.pre_vote && reply.term == term_ && leader_gone_) {
    // Several stand because all have seen the leader go: the vote may be split.
    candidate->again_at = std::min(candidate->again_at, now_ + Uniform(config_.failover_again_min,
                                                                       config_.failover_again_max));
  }
}

void Raft::On(model::ServerId from, const StandNow& stand) {
  if (stand.term != term_ || from != leader_ || role() == Role::kLeader) return;
  Stand(false, true);
}

}  // namespace pando::raft
