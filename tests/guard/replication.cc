// Raft among three, with the bytes that servers send to one another and those of their WALs.
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "acl/scheme.h"
#include "base/check.h"
#include "base/rng.h"
#include "codec/command.h"
#include "io/peers.h"
#include "model/limits.h"
#include "protocol/wire.h"
#include "raft/raft.h"
#include "server.h"
#include "sink_disk.h"
#include "wal/wal.h"
#include "workload.h"

namespace pando::guard {
namespace {

constexpr size_t kServers = 3;
constexpr size_t kEntries = 64;
constexpr base::Duration kStep = std::chrono::milliseconds(10);
constexpr base::Duration kElectionsMax = std::chrono::seconds(10);

model::ServerId IdOf(size_t place) { return model::ServerId(place + 1); }
size_t PlaceOf(model::ServerId id) { return static_cast<size_t>(id.value()) - 1; }

model::Membership AllServers() {
  model::Membership membership;
  for (size_t i = 0; i < kServers; ++i) {
    membership.members.push_back({.id = IdOf(i), .storage = model::StorageId(i + 1)});
  }
  return membership;
}

// One server: what it decides goes to its log at once, and to the others as frames.
class Member {
 public:
  explicit Member(size_t place) {
    wal::Recovered log;
    auto wal = wal::Wal::Open(&disk_, "wal", wal::Options(), base::Rng(place + 1), &log);
    CHECK(wal.ok());
    wal_ = *std::move(wal);
    raft::Config config;
    config.id = IdOf(place);
    config.storage = model::StorageId(place + 1);
    config.tail_bytes_max = 16 * model::kKiB;  // soon as full as it will be
    raft::Recovered recovered;
    recovered.first_on_disk = log.first_on_disk;
    recovered.membership = AllServers();
    raft_.emplace(config, std::move(recovered), base::Rng(place + 1), base::Instant());
  }

  raft::Raft& raft() { return *raft_; }
  model::Revision committed() const { return committed_; }
  std::string TakeFrameTo(size_t place) { return std::exchange(frames_[place], {}); }

  // Does all that Raft wants; false: nothing.
  bool Obey(base::Instant now) {
    raft::Output output = raft_->Take(now);
    if (output.empty()) return false;
    for (auto& [to, message] : output.messages) {
      protocol::EncodeMessage(io::PeerMessage(std::move(message)), &frames_[PlaceOf(to)]);
    }
    if (output.append) {
      CHECK(wal_->Write({&*output.append, 1}).ok());
      raft_->Persisted(now, output.append->id);
    }
    if (!output.committed.empty()) {
      committed_ = output.committed.back()->index;
      raft_->Compact(committed_);
    }
    return true;
  }

 private:
  SinkDisk disk_;
  std::unique_ptr<wal::Wal> wal_;
  std::optional<raft::Raft> raft_;
  std::array<std::string, kServers> frames_;
  model::Revision committed_;
};

class Ensemble {
 public:
  Ensemble() {
    for (size_t i = 0; i < kServers; ++i) members_[i] = std::make_unique<Member>(i);
    while (leader_ == nullptr) {
      now_ = now_ + kStep;
      CHECK(now_.since_start < kElectionsMax);
      for (const auto& member : members_) member->raft().Tick(now_);
      Settle();
      for (const auto& member : members_) {
        if (member->raft().MayPropose()) leader_ = member.get();
      }
    }
    command_.source = {model::StorageId(1), model::StartCount(1)};
    command_.stamp.ms = 1'700'000'000'000;
    command_.identities = {acl::kAnyone};
    command_.body = model::Set{.path = PathOf(0), .data = std::string(kValueBytes, 'e')};
  }

  void Replicate() {
    model::Revision last;
    for (size_t i = 0; i < kEntries; ++i) {
      ++command_.number;
      const auto proposed =
          leader_->raft().Propose(now_, model::EntryKind::kCommand, codec::EncodeCommand(command_));
      CHECK(proposed.ok());
      last = *proposed;
    }
    Settle();
    for (const auto& member : members_) CHECK(member->committed() == last);
  }

 private:
  void Settle() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (const auto& member : members_) {
        while (member->Obey(now_)) busy = true;
      }
      for (size_t from = 0; from < kServers; ++from) {
        for (size_t to = 0; to < kServers; ++to) Deliver(from, to);
      }
    }
  }

  void Deliver(size_t from, size_t to) {
    const std::string frame = members_[from]->TakeFrameTo(to);
    std::vector<io::PeerMessage> messages;
    CHECK(protocol::DecodeFrame(frame, &messages));
    for (io::PeerMessage& message : messages) {
      members_[to]->raft().Receive(now_, IdOf(from), std::get<raft::Message>(std::move(message)));
    }
  }

  base::Instant now_;
  std::array<std::unique_ptr<Member>, kServers> members_;
  Member* leader_ = nullptr;
  model::Command command_;
};

}  // namespace

Workload MakeReplication() {
  return {.turn = [ensemble = std::make_shared<Ensemble>()] { ensemble->Replicate(); },
          .operations = kEntries};
}

}  // namespace pando::guard
