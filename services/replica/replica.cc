#include "replica/replica.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/overloaded.h"
#include "codec/record.h"
#include "model/limits.h"

namespace pando::replica {
namespace {

// A leader proposes nothing more at the limit; it is overloaded before.
constexpr size_t kUncommittedOverloadedBytes = model::kUncommittedBytesMax / 2;

// Who the members are before the log or the store says it: those who have formed the ensemble, or a
// server alone; nobody, while it still has to form or to be let in.
raft::Recovered WithMembership(const Options& options, const Recovered& recovered,
                               raft::Recovered raft) {
  const machine::Machine& machine = *recovered.machine;
  raft.applied = machine.applied();
  if (!machine.membership().members.empty()) {
    raft.membership = machine.membership();
  } else if (recovered.formation && recovered.formation->complete) {
    raft.membership = recovered.formation->members;
  } else if (options.initial_membership.members.size() == 1) {
    raft.membership = options.initial_membership;
  }
  return raft;
}

raft::Config RaftConfig(const Options& options) {
  raft::Config config = options.raft;
  config.id = options.id;
  config.storage = options.storage;
  return config;
}

Options WithSelf(Options options) {
  options.self.id = options.id;
  options.self.storage = options.storage;
  if (model::Member* self = options.initial_membership.Find(options.id)) *self = options.self;
  return options;
}

}  // namespace

Replica::Replica(Options options, Recovered recovered, Adapters adapters, Observer observer,
                 base::Rng rng, base::Instant now)
    : options_(WithSelf(std::move(options))),
      adapters_(std::move(adapters)),
      observer_(std::move(observer)),
      rng_(rng),
      now_(now),
      recovered_term_(recovered.raft.term),
      recovered_last_(recovered.raft.previous + recovered.raft.entries.size()),
      first_kept_(recovered.raft.first_on_disk),
      raft_(RaftConfig(options_), WithMembership(options_, recovered, std::move(recovered.raft)),
            base::Rng(rng_.Next()), now),
      machine_(std::move(recovered.machine)),
      leases_(options_.raft.election_max / 2),
      streams_(this, machine_->applied(), recovered.oldest_change, options_.watch_no_leader),
      pending_({options_.storage, options_.start}),
      stored_(machine_->applied()),
      snapshot_(recovered.snapshot_revision) {
  CHECK(options_.id);
  CHECK(options_.storage);
  CHECK(options_.start);
  const bool initial = !options_.initial_membership.members.empty();
  if (raft_.membership().members.empty() && initial) {
    forming_.emplace(options_.id, options_.initial_membership,
                     recovered.formation.value_or(model::Formation()));
  }
  retired_.Follow(machine_->membership());
  if (machine_->cluster() && observer_.on_cluster) observer_.on_cluster(machine_->cluster());
}

Replica::~Replica() = default;

void Replica::Handle(base::Instant now, base::WallTime wall, io::Event event) {
  CHECK(now >= now_);
  if (stopped_) return;
  now_ = now;
  wall_ = wall;
  std::visit(base::Overloaded{
                 [&](io::RequestBatch& batch) { OnRequests(std::move(batch)); },
                 [&](io::LaneClosed& closed) { lanes_.Close(closed.lane); },
                 [&](io::WatchOpen& open) { OnWatchOpen(std::move(open)); },
                 [&](io::WatchClose& close) {
                   streams_.Close(close.stream);
                   outboxes_.erase(close.stream);
                 },
                 [&](io::StreamDrained& drained) { streams_.Drained(drained.stream); },
                 [&](io::InitialSent& sent) { streams_.InitialDone(sent.stream, sent.revision); },
                 [&](io::Persisted& persisted) { OnPersisted(persisted); },
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
                 [&](io::PeerOpened& opened) { OnPeerOpened(std::move(opened)); },
                 [&](io::PeerMessages& messages) { OnPeerMessages(std::move(messages)); },
                 [&](io::PeerClosed& closed) { OnPeerClosed(closed); },
                 [&](io::PeerReady& ready) { OnPeerReady(ready); },
                 [&](io::PeerRefused& refused) { OnPeerRefused(refused); },
                 [&](io::SnapshotSent& sent) { OnSnapshotSent(sent); },
                 [&](io::SnapshotReceived& received) { OnSnapshotReceived(std::move(received)); },
                 [&](io::Installed& installed) { OnInstalled(installed); },
                 [&](io::Shutdown& shutdown) { OnShutdown(shutdown); },
             },
             event);
}

void Replica::Flush(base::Instant now, base::WallTime wall) {
  CHECK(now >= now_);
  if (stopped_) return;
  now_ = now;
  wall_ = wall;
  raft_.Tick(now_);
  UpdateRefusals();
  DoDuties();
  if (const auto round = reads_.StartRound()) raft_.Read(now_, raft::ReadId(*round));
  // Applying may propose and read anew (a new leader's first commands), and reads may have held
  // commands back: until nothing is left.
  do {
    for (;;) {
      SendPending();
      ObeyEarlyOrders();
      raft::Output output = raft_.Take(now_);
      if (output.empty()) break;
      Obey(std::move(output));
    }
    RunReads();
  } while (TakeReleased());
  AnswerAdministrations();
  streams_.Tick(now_);
  UpdatePeers();
  std::vector<io::Egress::Parcel> parcels = lanes_.TakeParcels();
  const bool wrote = std::exchange(wrote_streams_, false);
  if (wrote || !parcels.empty()) adapters_.egress->Send(std::move(parcels));
  SendMail();
  if (observer_.on_flush) observer_.on_flush(gauges());
}

base::Instant Replica::NextDeadline() const {
  if (stopped_) return base::kNever;
  base::Instant next =
      std::min({raft_.NextDeadline(), leases_.NextDeadline(), streams_.NextDeadline(),
                pending_.next_deadline(), reads_.next_deadline()});
  if (IsLeader()) next = std::min(next, next_reap_);
  if (adapters_.peers == nullptr) return next;
  next = std::min({next, next_report_, next_tend_, renewals_.next_deadline()});
  if (Follows()) next = std::min(next, send_again_);
  // What was just done may leave something that is due at once.
  return std::max(next, now_ + std::chrono::milliseconds(1));
}

bool Replica::finished() const {
  return stopped_ || (shutting_down_ && lanes_.outstanding() == 0 && !raft_.transferring());
}

void Replica::Stop(const std::string& why) {
  stopped_ = true;
  if (observer_.on_stop) observer_.on_stop(why);
}

void Replica::Tell(const std::string& event) const {
  if (observer_.on_event) observer_.on_event(event);
}

// --- Storage ----------------------------------------------------------------------------------

void Replica::OnStored(const io::Stored& stored) {
  if (installing_ || stored.revision < stored_) return;  // of the state that is going
  CHECK(stored.revision <= machine_->applied());
  stored_ = stored.revision;
  while (!unstored_.empty() && unstored_.front().first <= stored_) {
    unstored_bytes_ -= unstored_.front().second;
    unstored_.pop_front();
  }
  streams_.Stored(stored.revision, stored.oldest_change);
  DropLogPrefix();
  UpdateRefusals();
  ApplyHeldBack();
}

void Replica::OnPersisted(const io::Persisted& persisted) {
  raft_.Persisted(now_, persisted.id);
  while (!answering_.empty() && answering_.front().after <= persisted.id) {
    Mail(answering_.front().to, answering_.front().reply);
    answering_.pop_front();
  }
}

// What a restart needs lies above the stored revision, and what --recover needs above the newest
// snapshot: wal.first_index <= min(stored, snapshot) + 1, always.
void Replica::DropLogPrefix() {
  model::Revision last = std::min(stored_, snapshot_);
  for (const auto& [id, pin] : pins_) {
    // Its entry, too: an append names the term of what comes before it.
    if (pin.bytes <= model::kPinnedLogBytesMax && pin.revision) {
      last = std::min(last, pin.revision - 1);
    }
  }
  const model::Revision first_kept = last + 1;
  raft_.Compact(stored_);
  if (first_kept <= first_kept_) return;
  first_kept_ = first_kept;
  raft_.DropPrefix(first_kept);
  adapters_.log->DropPrefix(first_kept);
}

// Overloaded is told at half of what stops the machine, and until half of that is stored, so that
// refusals come early and do not flicker.
void Replica::UpdateRefusals() {
  no_space_ = disk_free_bytes_ == 0;
  store_lags_ = unstored_bytes_ > options_.unstored_bytes_max / (store_lags_ ? 4 : 2);
  if (!store_lags_) store_kept_up_ = now_;
  overloaded_ =
      store_lags_ || raft_.uncommitted_bytes() > kUncommittedOverloadedBytes || digests_.split();
  raft_.SetCapacity({.no_space = no_space_, .overloaded = overloaded_, .stalled = Stalled()});
}

// --- Watches ----------------------------------------------------------------------------------

void Replica::OnWatchOpen(io::WatchOpen open) {
  outboxes_[open.stream] = open.outbox;
  const bool send_initial = open.send_initial;
  watch::Streams::Open stream{open.stream,         open.session, open.identities,   open.targets,
                              open.start_revision, send_initial, open.of_the_server};
  if (model::Error error = streams_.Add(std::move(stream)); !error.ok()) {
    End(open.stream, std::move(error));
    return;
  }
  if (send_initial) SendInitial(open);
}

bool Replica::TryWrite(model::StreamId stream, model::StreamBatch batch) {
  wrote_streams_ = true;
  return outboxes_.at(stream)->TryWrite(std::move(batch));
}

void Replica::End(model::StreamId stream, model::Error error) {
  const auto found = outboxes_.find(stream);
  CHECK(found != outboxes_.end());
  wrote_streams_ = true;
  found->second->End(std::move(error));
  outboxes_.erase(found);
}

void Replica::ReadChanges(model::Revision from) {
  adapters_.store->ReadChanges(from, model::kChangesReadBytesMax);
}

// --- The end ----------------------------------------------------------------------------------

void Replica::OnShutdown(const io::Shutdown& shutdown) {
  shutting_down_ = true;
  // Its followers need not find out by themselves.
  if (IsLeader() && raft_.BestSuccessor()) {
    const absl::Status handing_over = raft_.TransferLeadership(now_, {});
    Tell(absl::StrCat("hands over before it stops: ", base::View(handing_over.ToString())));
  }
  streams_.Shutdown();
  FailRenewals(renewals_.TakeAll());
  pending_.Hasten(shutdown.answer_by);
  for (auto& [id, administration] : administrations_) {
    administration.until = std::min(administration.until, shutdown.answer_by);
  }
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
  gauges.known_committed = raft_.known_committed();
  gauges.stored = stored_;
  gauges.unstored_bytes = unstored_bytes_;
  gauges.nodes = counts.nodes;
  gauges.data_bytes = counts.data_bytes;
  gauges.ephemerals = counts.ephemerals;
  gauges.sessions = counts.sessions;
  gauges.streams = streams_.size();
  gauges.watches = streams_.targets();
  gauges.pending_requests = lanes_.outstanding();
  gauges.members = raft_.membership().members.size();
  gauges.members_reachable = 1;
  for (const model::Member& member : raft_.membership().members) {
    const bool learns = member.role == model::Member::Role::kLearner;
    const bool reachable = channels_.Of(member.id) != nullptr;
    gauges.members_reachable += reachable;
    gauges.learners += learns;
    gauges.learners_reachable += learns && (reachable || member.id == options_.id);
  }
  gauges.disk_free_bytes = disk_free_bytes_;
  gauges.no_space = no_space_;
  gauges.overloaded = overloaded_;
  gauges.pending_commands = pending_.size();
  gauges.uncommitted_bytes = raft_.role() == raft::Role::kLeader ? raft_.uncommitted_bytes() : 0;
  gauges.raft = raft_.counts();
  gauges.leader_changes = leader_changes_;
  gauges.forwarded_commands = forwarded_commands_;
  gauges.digest_mismatches = digest_mismatches_;
  return gauges;
}

}  // namespace pando::replica
