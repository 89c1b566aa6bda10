// Replica: one server of the ensemble, without its threads, clocks and sockets.
//
// Everything replicated lives in here: Raft, the machine, the watch streams, leases and the
// requests that wait. Owned by the core thread; every call runs to completion and never blocks.
// Time and randomness are arguments, so that tests run a whole ensemble in one thread.
//
//        io::Event ──► Handle ──► raft, machine, watch ──► Flush ──► io::Log, io::Store, io::Peers,
//                                                                    io::Egress, io::Stream
//
// The driver handles all events that are queued, then flushes once: one append, one sync and one
// parcel of replies for all of them. Group commit falls out of that.
#ifndef PANDO_REPLICA_REPLICA_H_
#define PANDO_REPLICA_REPLICA_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "base/rng.h"
#include "base/time.h"
#include "io/client.h"
#include "io/event.h"
#include "io/log.h"
#include "io/peers.h"
#include "io/store.h"
#include "machine/machine.h"
#include "model/formation.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/membership.h"
#include "raft/raft.h"
#include "replica/channels.h"
#include "replica/digests.h"
#include "replica/formation.h"
#include "replica/lanes.h"
#include "replica/pending.h"
#include "replica/reads.h"
#include "replica/renewals.h"
#include "replica/retired.h"
#include "session/leases.h"
#include "watch/streams.h"

namespace pando::replica {

struct Options {
  model::ServerId id;
  model::StorageId storage;
  model::StartCount start;
  std::string version;  // of the binary, for GetStatus
  // This server as a member: addresses, and the machine versions that its binary supports.
  model::Member self;
  // The first membership of a new ensemble, with `self` in it; of the others only ids and peer
  // addresses count. Ignored once there is one in the log or the store. Empty: it joins one.
  model::Membership initial_membership;
  // Where an ensemble is asked to take this server in, as long as it belongs to none.
  std::vector<std::string> join_addresses;
  raft::Config raft;           // timing and limits; the id is this server's
  size_t value_bytes_max = 0;  // of one node's data, checked before a command is numbered
  // Of deltas that are not stored yet. Beyond it nothing is applied, nor taken from a leader.
  size_t unstored_bytes_max = model::kUnstoredBytesMax;
  base::Duration reap_interval = std::chrono::seconds(1);
  base::Duration watch_no_leader = std::chrono::seconds(5);
};

// What the start found on disk. The WAL's entries above the stored revision are not applied: they
// go into Raft's log, and are applied when Raft commits them.
struct Recovered {
  std::unique_ptr<machine::Machine> machine;  // as loaded from the store; empty for a new dir
  model::Revision snapshot_revision;  // of the newest complete snapshot; none: there is none
  model::Revision oldest_change;      // the change log's
  std::optional<model::Formation> formation;
  raft::Recovered raft;
};

// Numbers for metrics and readiness, as of the last Flush.
struct Gauges {
  model::EnsembleStatus::Role role = model::EnsembleStatus::Role::kFollower;
  model::ServerId leader;  // none: unknown
  model::Term term;
  model::Revision committed;
  model::Revision applied;
  model::Revision known_committed;  // what an up-to-date server has applied; raft/raft.h
  model::Revision stored;
  uint64_t unstored_bytes = 0;
  uint64_t nodes = 0;
  uint64_t data_bytes = 0;
  uint64_t ephemerals = 0;
  uint64_t sessions = 0;
  uint64_t streams = 0;
  uint64_t watches = 0;
  uint64_t pending_requests = 0;
  uint64_t members = 0;            // of the membership in force
  uint64_t members_reachable = 0;  // this one too
  uint64_t learners = 0;           // of the members
  uint64_t learners_reachable = 0;
  uint64_t disk_free_bytes = 0;
  bool no_space = false;
  bool overloaded = false;
  uint64_t pending_commands = 0;   // taken here and not applied here
  uint64_t uncommitted_bytes = 0;  // a leader's
  // Since the start.
  raft::Raft::Counts raft;
  uint64_t leader_changes = 0;
  uint64_t forwarded_commands = 0;
  uint64_t digest_mismatches = 0;
};

// How another member is doing.
struct PeerGauges {
  model::ServerId id;
  std::optional<uint64_t> lag_entries;  // that it does not have on disk; a leader knows
};

// What the replica tells of itself. Called on the core thread; must not block. All may be null.
struct Observer {
  std::function<void(const Gauges&)> on_flush;
  // Of every other member; several times a second.
  std::function<void(const std::vector<PeerGauges>&)> on_peers;
  // From a word to a member to its answer, without what the member took itself.
  std::function<void(model::ServerId, base::Duration)> on_round_trip;
  // From the arrival of a command at this server to its commit.
  std::function<void(base::Duration)> on_commit;
  // The cluster id is known from now on.
  std::function<void(model::ClusterId)> on_cluster;
  // One event of the ensemble's life for the log: "became leader", "session expired", …
  std::function<void(const std::string& event)> on_event;
  // This server must never run again on its data: its log is lost, or its state is wrong. Nothing
  // is done after this any more.
  std::function<void(const std::string& why)> on_stop;
  // The clock is read through this, twice a batch of applied entries; null: durations are not told.
  std::function<base::Instant()> clock;
  std::function<void(base::Duration, size_t entries)> on_apply;
};

// The adapters that a replica drives. All outlive it.
struct Adapters {
  io::Log* log = nullptr;
  io::Store* store = nullptr;
  io::Peers* peers = nullptr;  // null: an ensemble of one that stays so
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

  // One administrative request that was made here, until it is answered.
  struct Administration {
    io::Administer request;
    Responder responder;
    base::Instant until;
    model::Term term;           // that the transfer was asked in
    model::Revision answer_at;  // done: answered once this is applied here; none: not done yet
    bool was_there = false;     // the member that is to be removed, when that was asked
  };
  // Who gave this leader an order.
  struct Ordered {
    model::ServerId from;  // none: for a request that was made here
    uint64_t id = 0;
    model::Revision config;  // as Administer has it
  };
  // What that one is to be told.
  struct Verdict {
    Ordered ordered;
    model::Error error;
  };

  // replica.cc: events
  void OnStored(const io::Stored& stored);
  void OnWatchOpen(io::WatchOpen open);
  void OnShutdown(const io::Shutdown& shutdown);
  void OnPersisted(const io::Persisted& persisted);
  void DropLogPrefix();
  void UpdateRefusals();
  // Committed or not. A leader that is confirmed knows by it what was ever given out.
  model::Revision LastKnown() const { return std::max(raft_.last_index(), machine_->applied()); }
  // The store lags so far behind that nothing is applied any more.
  bool Stalled() const { return unstored_bytes_ >= options_.unstored_bytes_max; }
  void Stop(const std::string& why);
  void Tell(const std::string& event) const;
  // And has begun to: what a new leader proposes first is proposed.
  bool IsLeader() const { return raft_.role() == raft::Role::kLeader && raft_.term() == leads_in_; }
  bool Follows() const { return raft_.leader() && raft_.leader() != options_.id; }
  // Leads, and has applied all that came before its term, and its first entry. Its predecessor may
  // have proposed a session's expiry in there, so that nobody is promised anything before, or a
  // membership, of which nothing is said before.
  bool Settled() const { return IsLeader() && machine_->applied() >= leads_from_; }

  // requests.cc: what clients ask
  void OnRequests(io::RequestBatch batch);
  void OnRequest(io::Request request, Responder responder, size_t batch_bytes);
  model::Error CheckSession(const io::Request& request) const;
  model::Error CheckCommand(const model::Command& command, size_t batch_bytes) const;
  void OnCommand(model::Command command, base::Instant deadline, Responder responder,
                 size_t batch_bytes);
  bool TakeReleased();
  void OnRead(io::Request request, Responder responder);
  void RunReads();
  void RunRead(Read read);
  void RunLargeWalk(Read read);
  void RunBackup(Read read);
  void AnswerKeepAlive(const Responder& responder, model::SessionId session,
                       base::Duration time_left);
  model::Reply Status() const;
  void SendInitial(const io::WatchOpen& open);
  void Answer(const Responder& responder, model::SessionId session, model::Reply reply);
  void Refuse(const Responder& responder, model::Error error);

  // apply.cc: proposals, and what comes out of Raft
  void SendPending();
  void ForwardPending(model::ServerId leader);
  void ProposeOwn(model::CommandBody body);
  bool Propose(model::Command* command);
  void Obey(raft::Output output);
  void OnRole(const raft::RoleChange& role);
  void Lead();
  void IntroducePeers();
  void OnGrant(const raft::ReadGrant& grant);
  void ApplyHeldBack();
  void ApplyAll(const std::vector<raft::EntryRef>& entries);
  void Apply(const model::Entry& entry);
  void Finish(const model::Entry& entry, machine::Applied applied, const model::Command* command);
  void FollowSessions(const model::Command& command, const model::Reply& reply);

  // duties.cc: what the clock asks
  void DoDuties();
  void ExpireWaiting();
  void ExpireSessions();
  void ReapNodes();
  void MakeRoom();
  void RaiseVersion();

  // peers.cc: the other servers
  void Mail(model::ServerId to, io::PeerMessage message);
  void SendMail();
  void UpdatePeers();
  void OnPeerOpened(io::PeerOpened opened);
  void OnPeerClosed(const io::PeerClosed& closed);
  void OnPeerReady(const io::PeerReady& ready);
  void OnPeerRefused(const io::PeerRefused& refused);
  void OnPeerMessages(io::PeerMessages messages);
  struct Objection {
    io::Refusal refusal = io::Refusal::kWrongCluster;
    std::string detail;
  };
  std::optional<Objection> Judge(const io::PeerHello& hello);
  bool IsMember(const io::PeerHello& hello) const;
  void On(const io::PeerHello& from, raft::Message& message);
  void On(const io::PeerHello& from, io::Forward& forward);
  void On(const io::PeerHello& from, io::RenewRequest& request);
  void On(const io::PeerHello& from, io::RenewReply& reply);
  void On(const io::PeerHello& from, io::Report& report);
  void On(const io::PeerHello& from, io::DigestReport& report);
  void On(const io::PeerHello& from, io::DigestVerdict& verdict);
  void On(const io::PeerHello& from, io::AdminRequest& request);
  void On(const io::PeerHello& from, io::AdminReply& reply);
  void On(const io::PeerHello& from, io::Announce& announce);
  void On(const io::PeerHello& from, io::AnnounceReply& reply);
  void Announce(model::ServerId to);
  void FormIfComplete();
  void CheckOwnPlace();
  void SendRenewals();
  void FailRenewals(std::vector<Renewals::Waiting> waiting);
  void SendReports();
  void TellPeers() const;
  void TellDigest(model::Revision revision);
  void CountDigest(model::ServerId from, const io::DigestReport& report);

  // administration.cc: members and leaders by request
  void OnAdminister(io::Administer request, base::Instant deadline, Responder responder);
  void SendOrder(uint64_t id, const Administration& administration);
  void Obey(Ordered ordered, const io::AdminOrder& order);
  void ObeyEarlyOrders();
  void Obey(Ordered ordered, const io::AddMember& add);
  void Obey(Ordered ordered, const io::PromoteMember& promote);
  void Obey(Ordered ordered, const io::RemoveMember& remove);
  void Obey(Ordered ordered, const io::TransferLeadership& transfer);
  model::Error CheckConfig(const Ordered& ordered) const;
  void ProposeMembership(Ordered ordered, const model::Membership& next);
  void Reply(Ordered ordered, model::Error error, model::Revision revision);
  void ReplyOnceApplied(Ordered ordered, model::Error error);
  void OnMembershipApplied(model::Revision revision);
  void OnLeaderChangeForAdministration();
  void SendOrdersAgain();
  bool IsHandedOver(const Administration& administration) const;
  void AnswerAdministrations();
  void TendMembers();

  // install.cc: snapshots, sent and received
  void StartSnapshot(model::ServerId to);
  void OnMachineVersion(model::Revision revision, uint32_t version);
  void TendPins();
  void OnSnapshotSent(const io::SnapshotSent& sent);
  void OnSnapshotReceived(io::SnapshotReceived received);
  void OnInstalled(const io::Installed& installed);
  void AnswerCovered();

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

  // As at the start of this life.
  const model::Term recovered_term_;
  const model::Revision recovered_last_;
  // Below it the log on disk need hold nothing, and may not.
  model::Revision first_kept_;
  raft::Raft raft_;
  model::Term leads_in_;        // the last term that Lead() was called in
  model::Revision leads_from_;  // its first entry
  std::unique_ptr<machine::Machine> machine_;
  session::Leases leases_;
  watch::Streams streams_;
  absl::flat_hash_map<model::StreamId, std::shared_ptr<io::Stream>> outboxes_;
  bool wrote_streams_ = false;  // since the last Flush

  Lanes lanes_;
  Pending pending_;
  Reads reads_;

  // Revisions below which the store, the snapshots and the change log need nothing more.
  model::Revision stored_;
  model::Revision snapshot_;
  // Written to the store and not yet stored, oldest first.
  std::deque<std::pair<model::Revision, size_t>> unstored_;
  size_t unstored_bytes_ = 0;
  uint64_t disk_free_bytes_ = ~uint64_t{0};  // above the reserve
  bool no_space_ = false;
  bool overloaded_ = false;
  bool store_lags_ = false;
  base::Instant store_kept_up_;  // the last time that it did not
  // Committed, but held back: the store lags by kUnstoredBytesMax, or a snapshot is coming in
  // force.
  std::deque<raft::EntryRef> held_back_;

  // The other servers.
  Channels channels_;
  std::optional<Forming> forming_;  // none: formed, or it joins
  struct Answering {
    raft::AppendId after;
    model::ServerId to;
    io::AnnounceReply reply;
  };
  std::deque<Answering> answering_;  // once what they say is on disk
  absl::btree_map<model::ServerId, std::vector<io::PeerMessage>> mail_;
  std::pair<io::PeerHello, std::vector<io::PeerAddress>> told_peers_;
  bool update_peers_ = true;
  struct ToldRefusal {
    std::string what;
    base::Instant at;
  };
  absl::btree_map<model::ServerId, ToldRefusal> told_refusals_;  // of the peers', of this server
  struct Told {
    io::Report report;
    base::Instant at;
  };
  absl::btree_map<model::ServerId, Told> reports_;
  base::Instant next_report_;
  base::Instant next_tend_;
  Renewals renewals_;
  Digests digests_;
  // A leader's: the next number that it takes of each source.
  absl::btree_map<model::StorageId, std::pair<model::StartCount, model::SourceNumber>> taken_;
  base::Instant send_again_ = base::kNever;  // a follower's, if nothing is applied until then
  uint32_t proposed_version_ = 0;
  base::Instant next_room_;

  uint64_t last_administration_ = 0;
  absl::btree_map<uint64_t, Administration> administrations_;
  std::vector<std::pair<Ordered, io::AdminOrder>> early_orders_;  // before it was Settled()
  // Until the membership is applied that they speak of: before, another leader may undo it.
  absl::btree_map<model::Revision, std::vector<Verdict>> verdicts_;
  Retired retired_;
  std::vector<Ordered> ordered_transfers_;

  // To whom a snapshot is on its way, also one from before this server led.
  absl::btree_set<model::ServerId> sending_;
  // For whom the log above `revision` is kept, since a snapshot was begun for them.
  struct Pin {
    model::Revision revision;
    size_t bytes = 0;  // applied since
  };
  absl::btree_map<model::ServerId, Pin> pins_;
  // A received one that is being put in force; none: none is.
  std::optional<io::SnapshotReceived> installing_;

  base::Instant next_reap_;        // a leader's
  bool expiry_round_ = false;      // kExpiryRead is on its way
  bool expiry_confirmed_ = false;  // and was granted
  model::ServerId last_leader_;
  uint64_t leader_changes_ = 0;
  uint64_t forwarded_commands_ = 0;
  uint64_t digest_mismatches_ = 0;
  bool shutting_down_ = false;
  bool stopped_ = false;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_REPLICA_H_
