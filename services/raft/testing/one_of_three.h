// OneOfThree: a single server of three, without its peers: the test says what they say.
#ifndef PANDO_RAFT_TESTING_ONE_OF_THREE_H_
#define PANDO_RAFT_TESTING_ONE_OF_THREE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "raft/raft.h"
#include "raft/testing/ensemble.h"

namespace pando::raft {

using model::EntryKind;
using model::Revision;
using model::ServerId;
using model::StartCount;
using model::Term;

inline model::Entry EntryOf(uint64_t index, uint64_t term, std::string payload = "x") {
  return {Revision(index), Term(term), EntryKind::kCommand, std::move(payload)};
}
inline EntryRef RefOf(uint64_t index, uint64_t term) {
  return std::make_shared<const model::Entry>(EntryOf(index, term));
}

class OneOfThree : public testing::Test {
 protected:
  Raft& Start(uint64_t term = 0, std::vector<model::Entry> entries = {}, uint64_t vote = 0) {
    Recovered recovered;
    recovered.term = Term(term);
    recovered.vote = ServerId(vote);
    recovered.entries = std::move(entries);
    recovered.first_on_disk = Revision(1);
    recovered.membership = VotersOf({1, 2, 3});
    raft_.emplace(Config{.id = ServerId(1), .tail_bytes_max = 0}, std::move(recovered),
                  base::Rng(1), now_);
    return *raft_;
  }
  Raft& raft() { return *raft_; }
  void Wait(int ms) {
    now_ = now_ + milliseconds(ms);
    raft_->Tick(now_);
  }
  void Receive(uint64_t from, Message message) {
    raft_->Receive(now_, ServerId(from), std::move(message));
  }
  // Takes all output.
  void Obey() {
    for (Output output = raft_->Take(now_); !output.empty(); output = raft_->Take(now_)) {
      if (output.append) unsynced_.push_back(std::move(*output.append));
      for (auto& message : output.messages) sent_.push_back(std::move(message));
      for (const EntryRef& entry : output.committed) applied_.push_back(entry->index);
      for (const ReadGrant& grant : output.reads) granted_.push_back(grant);
      for (const ServerId to : output.snapshots) snapshots_.push_back(to);
      for (const LogRead& read : output.log_reads) log_reads_.push_back(read);
    }
  }
  void SyncOne() {
    raft_->Persisted(now_, unsynced_.front().id);
    unsynced_.pop_front();
    Obey();
  }
  void Sync() {
    Obey();
    while (!unsynced_.empty()) SyncOne();
  }
  // What was sent of this kind since the last time it was asked for.
  template <class M>
  std::vector<M> Sent(uint64_t to) {
    Obey();
    std::vector<M> found;
    std::erase_if(sent_, [&](const auto& message) {
      if (message.first != ServerId(to) || !std::holds_alternative<M>(message.second)) return false;
      found.push_back(std::get<M>(message.second));
      return true;
    });
    return found;
  }
  // Leads in the term after this one, by the vote of server 2.
  void Lead() {
    while (raft_->role() != Role::kCandidate) Wait(10);
    const Term next = raft_->term() + 1;
    Receive(2, VoteReply{next, true, true});
    Sync();
    Receive(2, VoteReply{next, false, true});
    ASSERT_EQ(raft_->role(), Role::kLeader);
    Obey();
  }
  // The other servers have everything.
  void TakenBy(uint64_t id, Revision match) {
    Receive(id, AppendReply{.term = raft_->term(), .accepted = true, .match = match});
  }
  void LeadAndCommit() {
    Lead();
    Sync();
    TakenBy(2, raft_->last_index());
    TakenBy(3, raft_->last_index());
    Obey();
    ASSERT_EQ(raft_->committed(), raft_->last_index());
  }
  void AnswerRound(uint64_t id) {
    const auto heartbeats = Sent<Heartbeat>(id);
    ASSERT_FALSE(heartbeats.empty());
    Receive(id, HeartbeatReply{.term = raft_->term(),
                               .round = heartbeats.back().round,
                               .verified = raft_->last_index()});
  }

  base::Instant now_{std::chrono::seconds(1)};
  std::optional<Raft> raft_;
  std::deque<Append> unsynced_;
  std::vector<std::pair<ServerId, Message>> sent_;
  std::vector<Revision> applied_;
  std::vector<ReadGrant> granted_;
  std::vector<ServerId> snapshots_;
  std::vector<LogRead> log_reads_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_TESTING_ONE_OF_THREE_H_
