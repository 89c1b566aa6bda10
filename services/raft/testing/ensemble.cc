#include "raft/testing/ensemble.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "codec/membership.h"
#include "gtest/gtest.h"
#include "raft/quorum.h"

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

Ensemble::Ensemble(model::Membership membership, std::vector<uint64_t> spares, uint64_t seed)
    : seed_(seed) {
  for (const model::Member& member : membership.members) servers_[member.id].id = member.id;
  for (const uint64_t id : spares) servers_[model::ServerId(id)].id = model::ServerId(id);
  memberships_[model::Revision()] = std::move(membership);
  for (auto& [id, server] : servers_) Start(id.value());
}

// --- Lives ------------------------------------------------------------------------------------

const model::Membership& Ensemble::MembershipAt(model::Revision index) const {
  return std::prev(memberships_.upper_bound(index))->second;
}

void Ensemble::Start(uint64_t id) {
  Server& server = servers_[model::ServerId(id)];
  server.id = model::ServerId(id);
  CHECK(server.raft == nullptr);
  ++server.lives;
  server.led = false;
  server.applied.clear();
  server.reads.clear();
  server.snapshots.clear();
  server.applied_index = server.stored;
  server.applied_term = server.stored_term;
  Recovered recovered;
  recovered.term = server.term;
  recovered.vote = server.vote;
  recovered.previous = recovered.applied = server.stored;
  recovered.previous_term = server.stored_term;
  recovered.first_on_disk = server.log.empty() ? server.stored + 1 : server.log.begin()->first;
  const model::Membership& founders = memberships_.begin()->second;
  if (server.stored || founders.Find(server.id) != nullptr) {
    recovered.membership = MembershipAt(server.stored);
  }
  for (const auto& [index, entry] : server.log) {
    if (index > server.stored) recovered.entries.push_back(entry);
  }
  Config mine = config;
  mine.id = server.id;
  server.raft =
      std::make_unique<Raft>(mine, std::move(recovered),
                             base::Rng(seed_ * 100'000 + id * 1000 + server.lives), Clock(server));
  for (auto& [other, peer] : servers_) {
    if (peer.raft == nullptr || other == server.id) continue;
    if (!Introduce(&server, &peer)) {
      ASSERT_TRUE(server.lost) << id << " has lost nothing";
      server.refused_by = other;
      server.raft.reset();
      return;
    }
    peer.raft->PeerReady(Clock(peer), server.id);
  }
}

// What the handshake says: the term and the end of the log as they were at the start.
bool Ensemble::Introduce(Server* server, Server* to) {
  const model::Revision last = server->log.empty() ? server->stored : server->log.rbegin()->first;
  return to->raft->PeerStarted(Clock(*to), server->id, model::StartCount(server->lives),
                               server->term, last);
}

void Ensemble::Crash(uint64_t id) {
  Server& server = At(id);
  server.raft.reset();
  server.unsynced.clear();
  std::erase_if(flights_,
                [&](const Flight& f) { return f.from == server.id || f.to == server.id; });
  for (auto& [other, peer] : servers_) {
    if (peer.raft != nullptr) peer.raft->PeerLost(Clock(peer), server.id);
  }
}

void Ensemble::ReplaceDisk(uint64_t id, model::Term term, model::ServerId vote,
                           std::vector<model::Entry> log) {
  Server& server = At(id);
  CHECK(server.raft == nullptr);
  server.lost = true;
  server.term = term;
  server.vote = vote;
  server.log.clear();
  for (model::Entry& entry : log) server.log[entry.index] = std::move(entry);
}

void Ensemble::Reconnect(uint64_t one, uint64_t other) {
  Server& a = At(one);
  Server& b = At(other);
  std::erase_if(flights_, [&](const Flight& f) {
    return (f.from == a.id && f.to == b.id) || (f.from == b.id && f.to == a.id);
  });
  for (auto [server, peer] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (server->raft == nullptr || peer->raft == nullptr) continue;
    server->raft->PeerLost(Clock(*server), peer->id);
    server->raft->PeerReady(Clock(*server), peer->id);
  }
}

// --- Outputs ----------------------------------------------------------------------------------

void Ensemble::Obey(Server* server) {
  for (;;) {
    Output output = server->raft->Take(Clock(*server));
    if (output.empty()) break;
    if (observer) observer(*server, output);
    if (output.append) server->unsynced.push_back(std::move(*output.append));
    for (auto& [to, message] : output.messages) {
      Flight flight{server->id, to, std::move(message), now_};
      if (!route) {
        flights_.push_back(std::move(flight));
        continue;
      }
      for (const base::Duration delay : route(flight)) {
        flights_.push_back(flight);
        flights_.back().due = now_ + delay;
      }
    }
    for (EntryRef& entry : output.committed) Apply(server, std::move(entry));
    for (const ReadGrant& grant : output.reads) {
      server->reads.push_back(grant);
      const auto asked = asked_.find(grant.id.value());
      if (asked == asked_.end()) continue;
      EXPECT_GE(grant.index, asked->second) << "a stale read";
    }
    for (const model::ServerId to : output.snapshots) server->snapshots.push_back(to);
    for (const LogRead& read : output.log_reads) {
      std::vector<model::Entry> entries;
      size_t bytes = 0;
      for (auto at = server->log.find(read.first); at != server->log.end(); ++at) {
        bytes += at->second.bytes();
        if (bytes > read.bytes_max) break;
        entries.push_back(at->second);
      }
      server->raft->EntriesRead(Clock(*server), read.first, std::move(entries));
    }
  }
  Judge(server);
}

// State machine safety, and each index once and in order.
void Ensemble::Apply(Server* server, EntryRef entry) {
  ASSERT_EQ(entry->index, server->applied_index + 1);
  const auto [place, fresh] = committed_.try_emplace(entry->index, entry);
  ASSERT_EQ(*place->second, *entry) << "committed twice, at index " << entry->index;
  if (fresh && entry->kind == model::EntryKind::kMembership) {
    CHECK(codec::DecodeMembership(entry->payload, &memberships_[entry->index]));
  }
  // A restart must find it: the store is never ahead of the log.
  ASSERT_TRUE(server->log.contains(entry->index)) << "applied and not on disk";
  server->applied_index = entry->index;
  server->applied_term = entry->term;
  server->applied.push_back(std::move(entry));
}

size_t Ensemble::MostOnDisk(const std::vector<model::Member>& members, model::Revision index) {
  std::map<model::Term, size_t> holders;
  size_t stored = 0;
  for (const model::Member& member : members) {
    if (member.role != model::Member::Role::kVoter) continue;
    const Server& server = servers_.at(member.id);
    const auto found = server.log.find(index);
    if (found != server.log.end()) {
      ++holders[found->second.term];
    } else {
      stored += server.stored >= index;
    }
  }
  size_t most = 0;
  for (const auto& [term, count] : holders) most = std::max(most, count);
  return most + stored;
}

void Ensemble::Judge(Server* server) {
  const Raft& raft = *server->raft;
  const bool leads = raft.role() == Role::kLeader;
  if (leads) {
    const auto [place, fresh] = leaders_.try_emplace(raft.term(), server->id);
    ASSERT_EQ(place->second, server->id) << "two leaders of term " << raft.term();
    ASSERT_EQ(server->term, raft.term()) << "leads in a term that is not on its disk";
  }
  if (leads && !server->led) {
    EXPECT_GE(raft.last_index(), newest()) << "a leader without what is committed";
    for (auto& [other, peer] : servers_) {
      if (peer.raft != nullptr && other != server->id) Introduce(&peer, server);
    }
  }
  if (leads && server->led && raft.committed() > server->committed) {
    const std::vector<model::Member>& members = raft.membership().members;
    const auto voters = static_cast<size_t>(std::count_if(
        members.begin(), members.end(),
        [](const model::Member& m) { return m.role == model::Member::Role::kVoter; }));
    EXPECT_GE(MostOnDisk(members, raft.committed()), Majority(voters))
        << "committed without a majority's disks: index " << raft.committed();
  }
  server->led = leads;
  server->committed = raft.committed();
}

model::Revision Ensemble::newest() const {
  return committed_.empty() ? model::Revision() : committed_.rbegin()->first;
}

// --- Disks ------------------------------------------------------------------------------------

void Ensemble::Settle() {
  for (auto& [id, server] : servers_) {
    if (server.raft != nullptr) Obey(&server);
  }
}

void Ensemble::SyncOne(uint64_t id) {
  Server& server = At(id);
  Append append = std::move(server.unsynced.front());
  server.unsynced.pop_front();
  if (append.vote) {
    server.term = append.vote->term;
    server.vote = append.vote->vote;
  }
  if (!append.entries.empty()) {
    server.log.erase(server.log.lower_bound(append.entries.front()->index), server.log.end());
    for (const EntryRef& entry : append.entries) server.log[entry->index] = *entry;
  }
  server.raft->Persisted(Clock(server), append.id);
  Obey(&server);
}

void Ensemble::Sync(uint64_t id) {
  while (!At(id).unsynced.empty()) SyncOne(id);
}

void Ensemble::Store(uint64_t id, bool drop) {
  Server& server = At(id);
  server.stored = server.applied_index;
  server.stored_term = server.applied_term;
  server.raft->Compact(server.stored);
  if (!drop) return;
  server.log.erase(server.log.begin(), server.log.upper_bound(server.stored));
  server.raft->DropPrefix(server.stored + 1);
}

void Ensemble::InstallSnapshot(uint64_t from, uint64_t to) {
  const model::Revision index = At(from).stored;
  const model::Term term = At(from).stored_term;
  Server& server = At(to);
  Sync(to);
  Obey(&server);
  if (index <= server.applied_index) return;
  const auto same = server.log.find(index);
  if (same != server.log.end() && same->second.term == term) {
    server.log.erase(server.log.begin(), std::next(same));
  } else {
    server.log.clear();
  }
  server.stored = server.applied_index = index;
  server.stored_term = server.applied_term = term;
  server.raft->Installed(Clock(server), index, term, MembershipAt(index));
  Obey(&server);
}

// --- Time and messages ------------------------------------------------------------------------

void Ensemble::Deliver(const std::function<bool(const Flight&)>& which) {
  std::vector<Flight> flights;
  std::vector<Flight> later;
  for (Flight& flight : flights_) {
    (flight.due <= now_ && which(flight) ? flights : later).push_back(std::move(flight));
  }
  flights_ = std::move(later);
  for (Flight& flight : flights) {
    if (cut_.contains({flight.from, flight.to})) continue;
    if (filter && !filter(flight)) continue;
    const auto found = servers_.find(flight.to);
    if (found == servers_.end() || found->second.raft == nullptr) continue;
    Server& to = found->second;
    to.raft->Receive(Clock(to), flight.from, std::move(flight.message));
  }
}

void Ensemble::TickAlone(uint64_t id, base::Duration duration) {
  Server& server = At(id);
  server.ahead += duration;
  server.raft->Tick(Clock(server));
}

void Ensemble::Run(base::Duration duration, base::Duration step) {
  const base::Instant end = now_ + duration;
  while (now_ < end) {
    now_ = now_ + step;
    for (auto& [id, server] : servers_) {
      if (server.raft != nullptr) server.raft->Tick(Clock(server));
    }
    Settle();
    for (auto& [id, server] : servers_) {
      if (server.raft != nullptr && !server.slow_disk) Sync(id.value());
    }
    Deliver([](const Flight&) { return true; });
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
      if (2 * followers > server.raft->membership().members.size()) return id.value();
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

// --- Clients ----------------------------------------------------------------------------------

model::Revision Ensemble::Propose(uint64_t id, const std::string& payload) {
  const auto index = TryPropose(id, payload);
  EXPECT_TRUE(index.ok()) << index.status();
  return index.ok() ? *index : model::Revision();
}

absl::StatusOr<model::Revision> Ensemble::TryPropose(uint64_t id, const std::string& payload) {
  return RaftAt(id).Propose(Clock(At(id)), model::EntryKind::kCommand, payload);
}

absl::StatusOr<model::Revision> Ensemble::ProposeMembership(uint64_t id,
                                                            const model::Membership& next) {
  return RaftAt(id).Propose(Clock(At(id)), model::EntryKind::kMembership,
                            codec::EncodeMembership(next));
}

void Ensemble::Read(uint64_t id) {
  asked_[++last_read_] = newest();
  RaftAt(id).Read(Clock(At(id)), ReadId(last_read_));
}

std::vector<std::string> Ensemble::Applied(uint64_t id) {
  std::vector<std::string> payloads;
  for (const EntryRef& entry : At(id).applied) {
    if (entry->kind == model::EntryKind::kCommand) payloads.push_back(entry->payload);
  }
  return payloads;
}

}  // namespace pando::raft
