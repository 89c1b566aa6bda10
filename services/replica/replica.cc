#include "replica/replica.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/record.h"
#include "model/limits.h"

namespace pando::replica {
namespace {

// Overloaded is told at half of what stops the machine, and until half of that is stored, so that
// refusals come early and do not flicker.
constexpr size_t kOverloadedBytes = model::kUnstoredBytesMax / 2;
constexpr size_t kRelievedBytes = model::kUnstoredBytesMax / 4;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// A log without a membership is a new ensemble's.
raft::Recovered WithMembership(raft::Recovered recovered, const machine::Machine& machine,
                               const model::Membership& initial) {
  recovered.applied = machine.applied();
  recovered.membership = machine.membership().members.empty() ? initial : machine.membership();
  return recovered;
}

}  // namespace

Replica::Replica(Options options, Recovered recovered, Adapters adapters, Observer observer,
                 base::Rng rng, base::Instant now)
    : options_(std::move(options)),
      adapters_(std::move(adapters)),
      observer_(std::move(observer)),
      rng_(rng),
      now_(now),
      machine_(std::move(recovered.machine)),
      raft_(raft::Config{.id = options_.id},
            WithMembership(std::move(recovered.raft), *machine_, options_.initial_membership),
            base::Rng(rng_.Next()), now),
      leases_(options_.election_timeout_max / 2),
      streams_(this, machine_->applied(), recovered.oldest_change, options_.watch_no_leader),
      pending_({options_.storage, options_.start}),
      stored_(machine_->applied()),
      snapshot_(recovered.snapshot_revision),
      next_reap_(now + options_.reap_interval) {
  CHECK(options_.id);
  CHECK(options_.storage);
  CHECK(options_.start);
  if (machine_->cluster() && observer_.on_cluster) observer_.on_cluster(machine_->cluster());
}

Replica::~Replica() = default;

void Replica::Handle(base::Instant now, base::WallTime wall, io::Event event) {
  CHECK(now >= now_);
  now_ = now;
  wall_ = wall;
  std::visit(Overloaded{
                 [&](io::RequestBatch& batch) { OnRequests(std::move(batch)); },
                 [&](io::LaneClosed& closed) { lanes_.Close(closed.lane); },
                 [&](io::WatchOpen& open) { OnWatchOpen(std::move(open)); },
                 [&](io::WatchClose& close) {
                   streams_.Close(close.stream);
                   outboxes_.erase(close.stream);
                 },
                 [&](io::StreamDrained& drained) { streams_.Drained(drained.stream); },
                 [&](io::InitialSent& sent) { streams_.InitialDone(sent.stream, sent.revision); },
                 [&](io::Persisted& persisted) { raft_.Persisted(now_, persisted.id); },
                 [&](io::EntriesRead& read) {
                   raft_.EntriesRead(now_, read.first, std::move(read.entries));
                 },
                 [&](io::DiskSpace& space) {
                   disk_free_bytes_ = space.free_bytes;
                   UpdateRefusals();
                 },
                 [&](io::Stored& stored) { OnStored(stored); },
                 [&](io::SnapshotTaken& taken) {
                   snapshot_ = std::max(snapshot_, taken.revision);
                   DropLogPrefix();
                 },
                 [&](io::ChangesRead& read) {
                   streams_.ChangesRead(read.from, read.through, read.oldest_change,
                                        std::move(read.batches));
                 },
                 // One voter has no peers.
                 [&](io::PeerOpened&) {},
                 [&](io::PeerMessages&) {},
                 [&](io::PeerClosed&) {},
                 [&](io::PeerReady&) {},
                 [&](io::PeerRefused&) {},
                 [&](io::SnapshotSent&) {},
                 [&](io::SnapshotReceived&) {},
                 [&](io::Installed&) {},
                 [&](io::Shutdown&) { OnShutdown(); },
             },
             event);
}

void Replica::Flush(base::Instant now, base::WallTime wall) {
  CHECK(now >= now_);
  now_ = now;
  wall_ = wall;
  raft_.Tick(now_);
  DoDuties();
  if (const auto round = reads_.StartRound()) raft_.Read(now_, raft::ReadId(*round));
  // Applying may propose and read anew (a new leader's first commands): until nothing is left.
  for (raft::Output output = raft_.Take(now_); !output.empty(); output = raft_.Take(now_)) {
    Obey(std::move(output));
  }
  RunReads();
  streams_.Tick(now_);
  std::vector<io::Egress::Parcel> parcels = lanes_.TakeParcels();
  if (!parcels.empty()) adapters_.egress->Send(std::move(parcels));
  if (observer_.on_flush) observer_.on_flush(gauges());
}

base::Instant Replica::NextDeadline() const {
  return std::min({raft_.NextDeadline(), leases_.NextDeadline(), streams_.NextDeadline(),
                   pending_.next_deadline(), reads_.next_deadline(), next_reap_});
}

bool Replica::finished() const { return shutting_down_ && lanes_.outstanding() == 0; }

// --- Storage ----------------------------------------------------------------------------------

void Replica::OnStored(const io::Stored& stored) {
  CHECK(stored.revision >= stored_);
  CHECK(stored.revision <= machine_->applied());
  stored_ = stored.revision;
  while (!unstored_.empty() && unstored_.front().first <= stored_) {
    unstored_bytes_ -= unstored_.front().second;
    unstored_.pop_front();
  }
  streams_.Stored(stored.revision, stored.oldest_change);
  DropLogPrefix();
  UpdateRefusals();
  while (!held_back_.empty() && unstored_bytes_ < model::kUnstoredBytesMax) {
    const raft::EntryRef entry = std::move(held_back_.front());
    held_back_.pop_front();
    Apply(*entry);
  }
}

// What a restart needs lies above the stored revision, and what --recover needs above the newest
// snapshot: wal.first_index <= min(stored, snapshot) + 1, always.
void Replica::DropLogPrefix() {
  const model::Revision first_kept = std::min(stored_, snapshot_) + 1;
  raft_.Compact(stored_);
  if (first_kept <= first_kept_) return;
  first_kept_ = first_kept;
  raft_.DropPrefix(first_kept);
  adapters_.log->DropPrefix(first_kept);
}

void Replica::UpdateRefusals() {
  no_space_ = disk_free_bytes_ == 0;
  overloaded_ = unstored_bytes_ > (overloaded_ ? kRelievedBytes : kOverloadedBytes);
}

// --- Watches ----------------------------------------------------------------------------------

void Replica::OnWatchOpen(io::WatchOpen open) {
  outboxes_[open.stream] = open.outbox;
  const bool send_initial = open.send_initial;
  watch::Streams::Open stream{open.stream,  open.session,        open.identities,
                              open.targets, open.start_revision, send_initial};
  if (model::Error error = streams_.Add(std::move(stream)); !error.ok()) {
    End(open.stream, std::move(error));
    return;
  }
  if (send_initial) SendInitial(open);
}

bool Replica::TryWrite(model::StreamId stream, model::StreamBatch batch) {
  return outboxes_.at(stream)->TryWrite(std::move(batch));
}

void Replica::End(model::StreamId stream, model::Error error) {
  const auto found = outboxes_.find(stream);
  CHECK(found != outboxes_.end());
  found->second->End(std::move(error));
  outboxes_.erase(found);
}

void Replica::ReadChanges(model::Revision from) {
  adapters_.store->ReadChanges(from, model::kChangesReadBytesMax);
}

// --- The end ----------------------------------------------------------------------------------

void Replica::OnShutdown() {
  shutting_down_ = true;
  streams_.Shutdown();
  for (Read& read : reads_.TakeAll()) {
    Refuse(read.responder,
           {.reason = model::Reason::kNoLeader, .detail = "the server is stopping"});
  }
}

Gauges Replica::gauges() const {
  const machine::Machine::Counts counts = machine_->counts();
  Gauges gauges;
  gauges.role = raft_.role();
  gauges.leader = raft_.leader();
  gauges.term = raft_.term();
  gauges.committed = raft_.committed();
  gauges.applied = machine_->applied();
  gauges.stored = stored_;
  gauges.unstored_bytes = unstored_bytes_;
  gauges.nodes = counts.nodes;
  gauges.data_bytes = counts.data_bytes;
  gauges.ephemerals = counts.ephemerals;
  gauges.sessions = counts.sessions;
  gauges.streams = streams_.size();
  gauges.watches = streams_.targets();
  gauges.pending_requests = lanes_.outstanding();
  gauges.disk_free_bytes = disk_free_bytes_;
  gauges.no_space = no_space_;
  gauges.overloaded = overloaded_;
  return gauges;
}

}  // namespace pando::replica
