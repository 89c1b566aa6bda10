#include "sim/raft_rules.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "raft/quorum.h"
#include "sim/truth.h"

namespace pando::sim {

void RaftRules::Said(model::ServerId from, model::ServerId to, const raft::Message& message) {
  if (wiped_.contains(from)) return;
  if (const auto* reply = std::get_if<raft::VoteReply>(&message)) {
    if (reply->granted && !reply->pre_vote) SaidVote(from, to, reply->term);
  } else if (const auto* request = std::get_if<raft::VoteRequest>(&message)) {
    // Who asks has voted for itself.
    if (!request->pre_vote) SaidVote(from, from, request->term);
  } else if (const auto* append = std::get_if<raft::AppendReply>(&message)) {
    if (append->accepted) SaidAcknowledgement(from, *append);
  }
}

void RaftRules::SaidVote(model::ServerId voter, model::ServerId candidate, model::Term term) {
  votes_[{term, candidate}].insert(voter);
  Promises& promises = promises_[voter];
  if (term > promises.voted_in) {
    promises.voted_in = term;
    promises.candidate = candidate;
  } else if (term == promises.voted_in && candidate != promises.candidate) {
    Violated(absl::StrCat("server ", voter.value(), " votes in term ", term.value(), " for ",
                          promises.candidate.value(), " and for ", candidate.value()));
  }
}

void RaftRules::SaidAcknowledgement(model::ServerId from, const raft::AppendReply& reply) {
  Promises& promises = promises_[from];
  if (reply.term > promises.acknowledged_in) {
    promises.acknowledged_in = reply.term;
    promises.acknowledged = reply.match;
  } else if (reply.term == promises.acknowledged_in) {
    promises.acknowledged = std::max(promises.acknowledged, reply.match);
  }
}

void RaftRules::Wiped(model::ServerId server) {
  wiped_.insert(server);
  promises_.erase(server);
}

void RaftRules::Check(model::ServerId server, const raft::Raft& raft, model::Revision committed) {
  CheckPromises(server, raft);
  if (raft.role() == raft::Role::kCandidate && wiped_.contains(server)) {
    Violated(absl::StrCat("server ", server.value(), " stands, but its data is gone"));
  }
  if (raft.role() != raft::Role::kLeader) return;
  const auto [before, fresh] = committed_before_.try_emplace(raft.term(), raft.committed());
  if (fresh) CheckElected(server, raft);
  // Of a leader this is at least the first entry of its term. What was committed below it, it may
  // learn from a snapshot, but never by counting (Raft thesis 3.6.2).
  const bool first_is_committed = raft.committed() >= raft.known_committed();
  const bool news = raft.committed() > before->second && raft.committed() > committed;
  if (!first_is_committed && news) {
    Violated(absl::StrCat("leader ", server.value(), " of term ", raft.term().value(),
                          " calls revision ", raft.committed().value(),
                          " of an earlier term committed"));
  }
}

void RaftRules::CheckPromises(model::ServerId server, const raft::Raft& raft) const {
  const auto found = promises_.find(server);
  if (found == promises_.end()) return;
  const Promises& promises = found->second;
  if (raft.term() < std::max(promises.voted_in, promises.acknowledged_in)) {
    Violated(absl::StrCat("server ", server.value(), " was in a later term than ",
                          raft.term().value(), " already"));
  }
  if (raft.term() == promises.voted_in && raft.vote() != promises.candidate) {
    Violated(absl::StrCat("server ", server.value(), " has forgotten its vote for ",
                          promises.candidate.value(), " in term ", raft.term().value()));
  }
  // Within a term a log only grows beyond what was acknowledged to its leader.
  if (raft.term() == promises.acknowledged_in && raft.last_index() < promises.acknowledged) {
    Violated(absl::StrCat("server ", server.value(), " has acknowledged revision ",
                          promises.acknowledged.value(), ", and its log ends with ",
                          raft.last_index().value()));
  }
}

void RaftRules::CheckElected(model::ServerId server, const raft::Raft& raft) const {
  const auto votes = votes_.find({raft.term(), server});
  size_t voters = 0;
  size_t granted = 0;
  for (const model::Member& member : raft.membership().members) {
    if (member.role != model::Member::Role::kVoter) continue;
    ++voters;
    granted += member.id == server || (votes != votes_.end() && votes->second.contains(member.id));
  }
  if (granted >= raft::Majority(voters)) return;
  Violated(absl::StrCat("server ", server.value(), " leads in term ", raft.term().value(), " by ",
                        granted, " votes of ", voters));
}

}  // namespace pando::sim
