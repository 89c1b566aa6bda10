#include "raft/testing/ensemble.h"

#include <utility>

#include "base/check.h"
#include "gtest/gtest.h"

namespace pando::raft {

model::Membership VotersOf(std::vector<uint64_t> voters, std::vector<uint64_t> learners) {
  std::map<uint64_t, model::Member::Role> roles;
  for (const uint64_t id : voters) roles[id] = model::Member::Role::kVoter;
  for (const uint64_t id : learners) roles[id] = model::Member::Role::kLearner;
  model::Membership membership;
  for (const auto& [id, role] : roles) {
    membership.members.push_back({.id = model::ServerId(id),
                                  .storage = model::StorageId(100 + id),
                                  .role = role,
                                  .peer_address = "server:" + std::to_string(id),
                                  .version_max = 1});
  }
  return membership;
}

Ensemble::Ensemble(model::Membership membership) : membership_(std::move(membership)) {
  for (const model::Member& member : membership_.members) {
    servers_[member.id].id = member.id;
    Start(member.id.value());
  }
}

void Ensemble::Start(uint64_t id) {
  Server& server = servers_[model::ServerId(id)];
  server.id = model::ServerId(id);
  CHECK(server.raft == nullptr);
  ++server.lives;
  server.applied.clear();
  server.reads.clear();
  Recovered recovered;
  recovered.term = server.term;
  recovered.vote = server.vote;
  recovered.first_on_disk = model::Revision(1);
  recovered.membership = membership_;
  for (const auto& [index, entry] : server.log) recovered.entries.push_back(entry);
  server.raft = std::make_unique<Raft>(Config{.id = server.id}, std::move(recovered),
                                       base::Rng(id * 1000 + server.lives), now_);
}

void Ensemble::Crash(uint64_t id) {
  Server& server = At(id);
  server.raft.reset();
  server.unsynced.clear();
  std::erase_if(flights_,
                [&](const Flight& f) { return f.from == server.id || f.to == server.id; });
  for (auto& [other, peer] : servers_) {
    if (peer.raft != nullptr) peer.raft->PeerLost(now_, server.id);
  }
}

void Ensemble::Obey(Server* server) {
  for (;;) {
    Output output = server->raft->Take(now_);
    if (output.empty()) return;
    if (output.append) server->unsynced.push_back(std::move(*output.append));
    for (auto& [to, message] : output.messages) {
      flights_.push_back({server->id, to, std::move(message)});
    }
    for (EntryRef& entry : output.committed) server->applied.push_back(std::move(entry));
    for (const ReadGrant& grant : output.reads) server->reads.push_back(grant);
    for (const model::ServerId to : output.snapshots) server->snapshots.push_back(to);
    for (const LogRead& read : output.log_reads) {
      std::vector<model::Entry> entries;
      for (auto at = server->log.find(read.first); at != server->log.end(); ++at) {
        entries.push_back(at->second);
      }
      server->raft->EntriesRead(now_, read.first, std::move(entries));
    }
  }
}

void Ensemble::Settle() {
  for (auto& [id, server] : servers_) {
    if (server.raft != nullptr) Obey(&server);
  }
  CheckSafety();
}

void Ensemble::Sync(uint64_t id) {
  Server& server = At(id);
  while (!server.unsynced.empty()) {
    Append append = std::move(server.unsynced.front());
    server.unsynced.pop_front();
    if (append.vote) {
      server.term = append.vote->term;
      server.vote = append.vote->vote;
    }
    if (!append.entries.empty()) {
      server.log.erase(server.log.lower_bound(append.entries.front().index), server.log.end());
      for (model::Entry& entry : append.entries) server.log[entry.index] = std::move(entry);
    }
    server.raft->Persisted(now_, append.id);
    Obey(&server);
  }
}

void Ensemble::DeliverAll() {
  std::vector<Flight> flights = std::exchange(flights_, {});
  for (Flight& flight : flights) {
    if (cut_.contains({flight.from, flight.to})) continue;
    if (filter && !filter(flight)) continue;
    const auto found = servers_.find(flight.to);
    if (found == servers_.end() || found->second.raft == nullptr) continue;
    found->second.raft->Receive(now_, flight.from, std::move(flight.message));
  }
}

void Ensemble::Run(base::Duration duration) {
  const base::Instant end = now_ + duration;
  while (now_ < end) {
    now_ = now_ + milliseconds(1);
    for (auto& [id, server] : servers_) {
      if (server.raft != nullptr) server.raft->Tick(now_);
    }
    Settle();
    for (auto& [id, server] : servers_) {
      if (server.raft != nullptr && !server.slow_disk) Sync(id.value());
    }
    DeliverAll();
    Settle();
  }
}

uint64_t Ensemble::RunUntilLeader() {
  for (int i = 0; i < 10'000; ++i) {
    Run(milliseconds(1));
    for (auto& [id, server] : servers_) {
      if (server.raft == nullptr || server.raft->role() != Role::kLeader) continue;
      size_t followers = 0;
      for (auto& [other, peer] : servers_) {
        followers += peer.raft != nullptr && peer.raft->leader() == id &&
                     peer.raft->term() == server.raft->term();
      }
      if (2 * followers > membership_.members.size()) return id.value();
    }
  }
  return 0;
}

void Ensemble::CutOff(uint64_t id) {
  for (auto& [other, server] : servers_) {
    Cut(id, other.value());
    Cut(other.value(), id);
  }
}

model::Revision Ensemble::Propose(uint64_t id, const std::string& payload) {
  const auto index = RaftAt(id).Propose(now_, model::EntryKind::kCommand, payload);
  EXPECT_TRUE(index.ok()) << index.status();
  return index.ok() ? *index : model::Revision();
}

std::vector<std::string> Ensemble::Applied(uint64_t id) {
  std::vector<std::string> payloads;
  for (const EntryRef& entry : At(id).applied) {
    if (entry->kind == model::EntryKind::kCommand) payloads.push_back(entry->payload);
  }
  return payloads;
}

void Ensemble::CheckSafety() {
  std::map<model::Revision, EntryRef> applied;
  for (auto& [id, server] : servers_) {
    if (server.raft != nullptr && server.raft->role() == Role::kLeader) {
      const auto [place, fresh] = leaders_.try_emplace(server.raft->term(), id);
      ASSERT_EQ(place->second, id) << "two leaders of term " << server.raft->term();
    }
    for (const EntryRef& entry : server.applied) {
      const auto [place, fresh] = applied.try_emplace(entry->index, entry);
      ASSERT_EQ(*place->second, *entry) << "at index " << entry->index;
    }
  }
}

}  // namespace pando::raft
