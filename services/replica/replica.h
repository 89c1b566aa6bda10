// Replica: one server of the ensemble, without its threads, clocks and sockets.
//
// Everything replicated lives in here: Raft, the machine, the watch streams, leases and the
// requests that wait. Owned by the core thread; every call runs to completion and never blocks.
// Time and randomness are arguments, so that tests run a whole ensemble in one thread.
//
//        io::Event ──► Handle ──► raft, machine, watch ──► Flush ──► io::Log, io::Store,
//                                                                    io::Egress, io::Stream
//
// The driver handles all events that are queued, then flushes once: one append, one sync and one
// parcel of replies for all of them. Group commit falls out of that.
#ifndef PANDO_REPLICA_REPLICA_H_
#define PANDO_REPLICA_REPLICA_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/rng.h"
#include "base/time.h"
#include "io/client.h"
#include "io/event.h"
#include "io/log.h"
#include "io/store.h"
#include "machine/machine.h"
#include "model/ids.h"
#include "model/membership.h"
#include "raft/raft.h"
#include "replica/lanes.h"
#include "replica/pending.h"
#include "replica/reads.h"
#include "session/leases.h"
#include "watch/streams.h"

namespace pando::replica {

struct Options {
  model::ServerId id;
  model::StorageId storage;
  model::StartCount start;
  std::string version;  // of the binary, for GetStatus
  // The first membership of a new ensemble; ignored once there is one in the log or the store.
  model::Membership initial_membership;
  size_t value_bytes_max = 0;  // of one node's data, checked before a command is numbered
  base::Duration reap_interval = std::chrono::seconds(1);
  base::Duration watch_no_leader = std::chrono::seconds(5);
  base::Duration election_timeout_max = std::chrono::milliseconds(800);
};

// What the start found on disk. The WAL's entries above the stored revision are not applied: they
// go into Raft's log, and are applied when Raft commits them.
struct Recovered {
  std::unique_ptr<machine::Machine> machine;  // as loaded from the store; empty for a new dir
  model::Revision snapshot_revision;  // of the newest complete snapshot; none: there is none
  model::Revision oldest_change;      // the change log's
  raft::Recovered raft;
};

// Numbers for metrics and readiness, as of the last Flush.
struct Gauges {
  model::EnsembleStatus::Role role = model::EnsembleStatus::Role::kFollower;
  model::ServerId leader;  // none: unknown
  model::Term term;
  model::Revision committed;
  model::Revision applied;
  model::Revision stored;
  uint64_t unstored_bytes = 0;
  uint64_t nodes = 0;
  uint64_t data_bytes = 0;
  uint64_t ephemerals = 0;
  uint64_t sessions = 0;
  uint64_t streams = 0;
  uint64_t watches = 0;
  uint64_t pending_requests = 0;
  uint64_t disk_free_bytes = 0;
  bool no_space = false;
  bool overloaded = false;
};

// What the replica tells of itself. Called on the core thread; must not block. All may be null.
struct Observer {
  std::function<void(const Gauges&)> on_flush;
  // From the arrival of a command at this server to its commit.
  std::function<void(base::Duration)> on_commit;
  // The cluster id is known from now on.
  std::function<void(model::ClusterId)> on_cluster;
  // One event of the ensemble's life for the log: "became leader", "session expired", …
  std::function<void(const std::string& event)> on_event;
  // The clock is read through this, twice a batch of applied entries; null: durations are not told.
  std::function<base::Instant()> clock;
  std::function<void(base::Duration, size_t entries)> on_apply;
};

// The adapters that a replica drives. All outlive it.
struct Adapters {
  io::Log* log = nullptr;
  io::Store* store = nullptr;
  io::Egress* egress = nullptr;
  // Bytes of the data dir, for GetStatus; null: unknown.
  std::function<uint64_t()> disk_bytes;
  // Posts an event to this replica's own Inbox, from any thread: what scans finish with.
  std::function<void(io::Event)> post;
};

class Replica : private watch::Streams::Sink {
 public:
  Replica(Options options, Recovered recovered, Adapters adapters, Observer observer, base::Rng rng,
          base::Instant now);
  ~Replica() override;

  // Takes one event. `wall` stamps the commands that it proposes.
  void Handle(base::Instant now, base::WallTime wall, io::Event event);
  // After the last event that was queued: hands everything over to the adapters.
  void Flush(base::Instant now, base::WallTime wall);
  // When Flush must be called again though nothing happened.
  base::Instant NextDeadline() const;
  // After a Shutdown event: everything that was pending is answered and every stream has ended.
  bool finished() const;

  const machine::Machine& machine() const { return *machine_; }
  const raft::Raft& raft() const { return raft_; }
  Gauges gauges() const;

 private:
  // The round of ReadIndex that stands before an expiry; Reads counts its rounds from 1.
  static constexpr raft::ReadId kExpiryRead{~uint64_t{0}};

  // replica.cc: events
  void OnStored(const io::Stored& stored);
  void OnWatchOpen(io::WatchOpen open);
  void OnShutdown();
  void DropLogPrefix();
  void UpdateRefusals();

  // requests.cc: what clients ask
  void OnRequests(io::RequestBatch batch);
  void OnRequest(io::Request request, Responder responder, size_t batch_bytes);
  model::Error CheckSession(const io::Request& request) const;
  model::Error CheckCommand(const model::Command& command, size_t batch_bytes) const;
  void OnCommand(model::Command command, base::Instant deadline, Responder responder,
                 size_t batch_bytes);
  void OnRead(io::Request request, Responder responder);
  void RunReads();
  void RunRead(Read read);
  void RunLargeWalk(Read read);
  model::Reply KeepAlive(model::SessionId session) const;
  model::Reply Status() const;
  void SendInitial(const io::WatchOpen& open);
  void Answer(const Responder& responder, model::SessionId session, model::Reply reply);
  void Refuse(const Responder& responder, model::Error error);

  // apply.cc: proposals, and what comes out of Raft
  void SendPending(PendingCommand& pending);
  void ProposeOwn(model::CommandBody body);
  void Propose(model::Command command);
  void Obey(raft::Output output);
  void OnRole(const raft::RoleChange& role);
  void OnGrant(const raft::ReadGrant& grant);
  void ApplyAll(const std::vector<raft::EntryRef>& entries);
  void Apply(const model::Entry& entry);
  void Finish(const model::Entry& entry, machine::Applied applied, const model::Command* command);
  void FollowSessions(const model::Command& command, const model::Reply& reply);

  // duties.cc: what the clock asks
  void DoDuties();
  void ExpireWaiting();
  void ExpireSessions();
  void ReapNodes();

  // watch::Streams::Sink
  bool TryWrite(model::StreamId stream, model::StreamBatch batch) override;
  void End(model::StreamId stream, model::Error error) override;
  void ReadChanges(model::Revision from) override;

  const Options options_;
  const Adapters adapters_;
  const Observer observer_;
  base::Rng rng_;
  // Of the event at hand.
  base::Instant now_;
  base::WallTime wall_;

  std::unique_ptr<machine::Machine> machine_;
  raft::Raft raft_;
  session::Leases leases_;
  watch::Streams streams_;
  absl::flat_hash_map<model::StreamId, std::shared_ptr<io::Stream>> outboxes_;

  Lanes lanes_;
  Pending pending_;
  Reads reads_;

  // Revisions below which the store, the snapshots and the change log need nothing more.
  model::Revision stored_;
  model::Revision snapshot_;
  model::Revision first_kept_;
  // Written to the store and not yet stored, oldest first.
  std::deque<std::pair<model::Revision, size_t>> unstored_;
  size_t unstored_bytes_ = 0;
  uint64_t disk_free_bytes_ = ~uint64_t{0};  // above the reserve
  bool no_space_ = false;
  bool overloaded_ = false;
  // Committed, but held back because the store lags by kUnstoredBytesMax.
  std::deque<raft::EntryRef> held_back_;

  base::Instant next_reap_;
  bool expiry_round_ = false;      // kExpiryRead is on its way
  bool expiry_confirmed_ = false;  // and was granted
  bool shutting_down_ = false;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_REPLICA_H_
