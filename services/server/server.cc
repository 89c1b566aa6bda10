#include "server/server.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admin/process.h"
#include "base/check.h"
#include "base/log.h"
#include "base/rng.h"
#include "codec/record.h"
#include "posix/clock.h"
#include "posix/random.h"
#include "replica/machine_builder.h"
#include "server/file_descriptors.h"
#include "server/machine_version.h"
#include "server/version.h"
#include "zookeeper/opcode.h"

namespace pando::server {
namespace {

using admin::Counter;
using admin::Gauge;
using admin::Timing;

// What a stop may take altogether: under ten seconds, which is what whoever sends TERM waits.
constexpr base::Duration kAnswerPatience = std::chrono::seconds(4);
constexpr base::Duration kCallGrace = std::chrono::seconds(2);

// A server that has caught up once stays ready while it is this little behind.
constexpr uint64_t kReadyLagMax = 10'000;

std::vector<std::string> RequestNames() {
  std::vector<std::string> names = api::MethodNames();
  for (std::string& name : zookeeper::OpcodeNames()) names.push_back(std::move(name));
  return names;
}

}  // namespace

Server::Server(const Config& config)
    : config_(config),
      metrics_(kVersion, RequestNames()),
      client_refusals_("client", posix::Now),
      peer_refusals_("peer", posix::Now),
      http_refusals_("http", posix::Now),
      zookeeper_refusals_("zookeeper", posix::Now),
      secure_zookeeper_refusals_("zookeeper-tls", posix::Now) {}

Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config) {
  auto server = std::unique_ptr<Server>(new Server(config));
  PANDO_RETURN_IF_ERROR(server->StartTls());
  PANDO_RETURN_IF_ERROR(server->StartHttp());
  PANDO_RETURN_IF_ERROR(server->Open());
  server->StartStorage();
  PANDO_RETURN_IF_ERROR(server->StartPeers());
  PANDO_RETURN_IF_ERROR(server->OpenAuditLog());
  PANDO_RETURN_IF_ERROR(server->ListenZooKeeper());
  // Last of those that can fail: once it has started, only Stop() ends it.
  PANDO_RETURN_IF_ERROR(server->StartApi());
  server->StartCore();
  server->zookeeper_->Start();
  server->facts_.commands = server->zookeeper_.get();
  server->metrics_.ports().SetSource([s = server.get()] { return s->PortNumbers(); });
  return server;
}

absl::Status Server::StartTls() {
  const auto start = [](const tls::Files& files, net::Refusals* refusals,
                        std::unique_ptr<transport::ServerTls>* to) -> absl::Status {
    if (files.certificate.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<transport::ServerTls>> started =
        transport::ServerTls::Start({files, posix::WallNow, refusals});
    if (!started.ok()) return started.status();
    *to = *std::move(started);
    return absl::OkStatus();
  };
  PANDO_RETURN_IF_ERROR(start(config_.client_tls, &client_refusals_, &client_tls_));
  PANDO_RETURN_IF_ERROR(start(config_.peer_tls, &peer_refusals_, &peer_tls_));
  if (config_.client_tls.certificate.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<tls::Watcher>> watcher =
      tls::Watcher::Start({.name = "http", .files = config_.http_tls(), .now = posix::WallNow});
  if (!watcher.ok()) return watcher.status();
  http_tls_ = *std::move(watcher);
  return absl::OkStatus();
}

absl::Status Server::StartHttp() {
  admin::HttpServer::Options options;
  options.host = config_.http.listen.host;
  options.port = config_.http.listen.port;
  options.metrics = &metrics_;
  options.clock = posix::Now;
  if (http_tls_ != nullptr) options.tls = [this] { return http_tls_->current(); };
  options.on_refused = [this](const std::string& caller, const std::string& why) {
    http_refusals_.Tell(net::Refusals::Reason::kHandshake, caller, why);
  };
  options.commands = [this](const std::string& name) { return AnswerCommand(name); };
  absl::StatusOr<std::unique_ptr<admin::HttpServer>> http =
      admin::HttpServer::Start(std::move(options));
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  return absl::OkStatus();
}

admin::HttpAnswer Server::AnswerCommand(const std::string& name) const {
  zookeeper::Server* const zookeeper = facts_.commands.load();
  if (zookeeper == nullptr) return {503, "text/plain", "the server is starting or stopping\n"};
  zookeeper::CommandAnswer answer = zookeeper->Command(name);
  return {answer.status, answer.type, std::move(answer.body)};
}

absl::Status Server::Open() {
  const base::Instant started = posix::Now();
  absl::StatusOr<Opened> opened = OpenDataDir(
      config_, [this](base::Duration taken) { metrics_.Observe(Timing::kWalSync, taken); });
  if (!opened.ok()) return opened.status();
  opened_ = *std::move(opened);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(posix::Now() - started);
  base::Log(base::Severity::kInfo, "data dir opened",
            {{"data_dir", config_.data_dir},
             {"storage", opened_.data_dir->identity().storage},
             {"start", opened_.start},
             {"stored_revision", opened_.recovered.machine->applied()},
             {"log_revision", opened_.last_entry},
             {"nodes", opened_.recovered.machine->counts().nodes},
             {"elapsed_ms", took.count()}});
  return absl::OkStatus();
}

absl::Status Server::OpenAuditLog() {
  if (config_.audit_log.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<AuditLog>> audit_log = AuditLog::Open(config_.audit_log);
  if (!audit_log.ok()) return audit_log.status();
  audit_log_ = *std::move(audit_log);
  return absl::OkStatus();
}

absl::Status Server::StartApi() {
  api::Options options;
  options.listen_address = config_.client.listen.ToString();
  options.tls = client_tls_.get();
  options.connections_max = RoomForConnections(config_.connections_max);
  options.refusals = &client_refusals_;
  options.server = config_.id;
  options.value_bytes_max = config_.value_bytes_max;
  options.now = posix::Now;
  options.random_bytes = posix::RandomBytes;
  options.cluster = [this] { return model::ClusterId(facts_.cluster.load()); };
  options.term = [this] { return model::Term(facts_.term.load()); };
  options.super_digest = config_.super_digest;
  options.administrators = config_.administrators;
  if (audit_log_ != nullptr) {
    options.on_audit = [this](const api::AuditEntry& entry) {
      audit_log_->Write(posix::WallNow(), entry);
    };
  }
  options.on_request = [this](std::string_view method, base::Duration taken, const char* reason) {
    metrics_.Request(method, reason, taken);
  };
  options.on_watch_delivery = [this](base::Duration taken, size_t events) {
    metrics_.Observe(Timing::kWatchDelivery, taken);
    metrics_.Add(Counter::kWatchEvents, events);
  };
  absl::StatusOr<std::unique_ptr<api::Server>> api =
      api::Server::Start(std::move(options), &inbox_);
  if (!api.ok()) return api.status();
  api_ = *std::move(api);
  return absl::OkStatus();
}

absl::Status Server::ListenZooKeeper() {
  zookeeper::Options options;
  options.plain = {config_.zookeeper.listen.ToString(), &zookeeper_refusals_};
  if (config_.zookeeper_tls) {
    options.secure = {config_.zookeeper_tls->ToString(), &secure_zookeeper_refusals_};
    options.material = [this] { return client_tls_->current(); };
  }
  options.connections_max = RoomForConnections(config_.connections_max);
  options.value_bytes_max = config_.value_bytes_max;
  options.reply_bytes_max = config_.zookeeper_reply_bytes;
  options.now = posix::Now;
  options.wall_now = posix::WallNow;
  options.random_bytes = posix::RandomBytes;
  options.super_digest = config_.super_digest;
  options.words = config_.zookeeper_words;
  options.server = config_.id;
  options.reconfig = config_.zookeeper_reconfig;
  options.keeper = config_.zookeeper_keeper;
  options.facts = [this] {
    return zookeeper::Facts{
        .version = kVersion,
        .serving = facts_.serving.load() && metrics_.Get(Gauge::kLeader) != 0,
        .role = static_cast<model::EnsembleStatus::Role>(metrics_.Get(Gauge::kRole)),
        .server = config_.id,
        .leader = model::ServerId(metrics_.Get(Gauge::kLeader)),
        .members = metrics_.Get(Gauge::kMembers),
        .members_reachable = metrics_.Get(Gauge::kMembersHeard),
        .learners = metrics_.Get(Gauge::kLearners),
        .learners_reachable = metrics_.Get(Gauge::kLearnersHeard),
        .nodes = metrics_.Get(Gauge::kNodes),
        .data_bytes = metrics_.Get(Gauge::kNodeBytes),
        .data_dir = config_.data_dir,
        .disk_bytes = facts_.disk_bytes.load(),
        .ephemerals = metrics_.Get(Gauge::kEphemerals),
        .sessions = metrics_.Get(Gauge::kSessions),
        .elections = metrics_.Get(Counter::kElections),
        .digest_mismatches = metrics_.Get(Counter::kDigestMismatches)};
  };
  options.open_files = [] {
    const admin::OpenFiles files = admin::CountOpenFiles();
    return zookeeper::OpenFiles{files.open, files.max};
  };
  options.on_request = [this](const char* name, base::Duration taken, const char* reason) {
    metrics_.Request(name, reason, taken);
  };
  if (audit_log_ != nullptr) {
    options.on_denied = [this](const zookeeper::Denial& denial) {
      audit_log_->Write(posix::WallNow(), {.denied = true,
                                           .method = denial.method,
                                           .caller = denial.caller,
                                           .path = denial.path,
                                           .reason = denial.reason,
                                           .request = {}});
    };
  }
  absl::StatusOr<std::unique_ptr<zookeeper::Server>> zookeeper =
      zookeeper::Server::Listen(std::move(options), &inbox_);
  if (!zookeeper.ok()) return zookeeper.status();
  zookeeper_ = *std::move(zookeeper);
  return absl::OkStatus();
}

// --- The core and its adapters ----------------------------------------------------------------

store::StoreOptions Server::StoreOptionsWith(const Config& config) {
  store::StoreOptions options;
  options.interval = config.store_interval;
  options.states = StateOptionsOf(config);
  options.builder = [] { return std::make_shared<replica::MachineBuilder>(); };
  options.snapshots.interval = config.snapshot_interval;
  options.snapshots.wal_bytes = config.snapshot_wal_bytes;
  options.snapshots.at_once =
      opened_.recovered.snapshot_revision + 1 < opened_.recovered.raft.first_on_disk;
  options.snapshots.wal_bytes_written = [this] { return disk_thread_->gauges().written_bytes; };
  options.snapshots.cluster = [this] { return model::ClusterId(facts_.cluster.load()); };
  options.snapshots.digest = codec::RecordDigest;
  options.snapshots.on_snapshot = [this](base::Duration taken, uint64_t) {
    metrics_.Observe(Timing::kSnapshot, taken);
    metrics_.Add(Counter::kSnapshots);
  };
  options.on_stored = [this](const store::StoreProgress& progress) {
    facts_.disk_bytes = opened_.disk->UsedBytes().value_or(0);
    metrics_.Observe(Timing::kStoreWrite, progress.taken);
    metrics_.Add(Counter::kStoreBytes, progress.window_bytes);
    metrics_.SetTotal(Counter::kChangesSegmentsDeleted, progress.trimmed_segments);
  };
  return options;
}

replica::Options Server::ReplicaOptions() const {
  replica::Options options;
  options.id = config_.id;
  options.storage = opened_.data_dir->identity().storage;
  options.start = opened_.start;
  options.version = kVersion;
  options.value_bytes_max = config_.value_bytes_max;
  options.watch_no_leader = config_.watch_no_leader;
  model::Member member;
  member.id = config_.id;
  member.storage = options.storage;
  member.peer_address = config_.peer.advertise.ToString();
  member.client_address = config_.client.advertise.ToString();
  member.http_address = config_.http.advertise.ToString();
  member.zookeeper_address = config_.zookeeper.advertise.ToString();
  member.version_min = kMachineVersionMin;
  member.version_max = kMachineVersionMax;
  for (const InitialMember& initial : config_.initial_cluster) {
    model::Member other;
    other.id = initial.id;
    other.peer_address = initial.peer.ToString();
    options.initial_membership.members.push_back(initial.id == config_.id ? member : other);
  }
  for (const Address& address : config_.join) options.join_addresses.push_back(address.ToString());
  options.self = std::move(member);
  return options;
}

void Server::StartStorage() {
  const auto post = [this](io::Event event) { inbox_.Post(std::move(event)); };
  disk_thread_ =
      std::make_unique<posix::DiskThread>(std::move(opened_.wal), opened_.disk.get(), &inbox_);
  store_thread_ = std::make_unique<store::StoreThread>(
      opened_.disk.get(), opened_.data_dir.get(), std::move(opened_.state),
      opened_.recovered.snapshot_revision, StoreOptionsWith(config_), post);
  facts_.disk_bytes = opened_.disk->UsedBytes().value_or(0);
}

absl::Status Server::StartPeers() {
  peer::Options options;
  options.id = config_.id;
  options.listen_address = config_.peer.listen.ToString();
  options.connection_refusals = &peer_refusals_;
  options.tls = peer_tls_.get();
  options.now = posix::Now;
  options.seed = posix::RandomNumber();
  options.receive_snapshot = [this](const io::StateMark& mark) {
    return store_thread_->Receive(mark);
  };
  options.on_snapshot = [this](const peer::Options::SnapshotEnd& end) {
    metrics_.Add(end.sent ? Counter::kSnapshotSentBytes : Counter::kSnapshotReceivedBytes,
                 end.bytes);
    if (end.good) {
      metrics_.Observe(end.sent ? Timing::kSnapshotSend : Timing::kSnapshotReceive, end.taken);
    } else {
      metrics_.Add(end.sent ? Counter::kSnapshotSendFailures : Counter::kSnapshotReceiveFailures);
    }
  };
  absl::StatusOr<std::unique_ptr<peer::GrpcPeers>> peers =
      peer::GrpcPeers::Start(std::move(options), &inbox_);
  if (!peers.ok()) return peers.status();
  peers_ = *std::move(peers);
  metrics_.peers().SetSource(PeerSource());
  return absl::OkStatus();
}

admin::PeerMetrics::Source Server::PeerSource() {
  admin::PeerMetrics::Source source;
  source.traffic = [peers = peers_.get()] {
    std::vector<admin::PeerTraffic> traffic;
    for (const peer::PeerStatus& status : peers->Statuses()) {
      const peer::Counters& counters = *status.counters;
      const uint64_t opened = counters.opened;
      traffic.push_back({.peer = status.id,
                         .connected = status.connected,
                         .queued_bytes = status.queued_bytes,
                         .sent_bytes = counters.sent_bytes,
                         .sent_messages = counters.sent_messages,
                         .dropped_messages = counters.dropped_messages,
                         .received_bytes = counters.received_bytes,
                         .received_messages = counters.received_messages,
                         .reconnects = opened == 0 ? 0 : opened - 1});
    }
    return traffic;
  };
  source.refusals = [peers = peers_.get()] {
    using Reason = peer::Refusals::Reason;
    std::vector<admin::PeerRefusals> refusals;
    for (auto i = uint8_t{1}; i < static_cast<uint8_t>(Reason::kEnd); ++i) {
      const auto reason = static_cast<Reason>(i);
      refusals.push_back({peer::Refusals::Name(reason), peers->refusals().count(reason)});
    }
    return refusals;
  };
  return source;
}

std::vector<admin::PortNumbers> Server::PortNumbers() const {
  using Reason = net::Refusals::Reason;
  const auto numbers = [](const net::Refusals& refusals,
                          const std::shared_ptr<const tls::Material>& material) {
    admin::PortNumbers port{.port = refusals.port()};
    for (uint8_t i = 0; i < static_cast<uint8_t>(Reason::kEnd); ++i) {
      const auto reason = static_cast<Reason>(i);
      port.refused.push_back({net::Refusals::Name(reason), refusals.count(reason)});
    }
    if (material != nullptr) port.certificate_until = material->own.ends;
    return port;
  };
  const auto current = [](const auto& tls) { return tls != nullptr ? tls->current() : nullptr; };
  admin::PortNumbers client = numbers(client_refusals_, current(client_tls_));
  client.connections = api_->connections();
  admin::PortNumbers peer = numbers(peer_refusals_, current(peer_tls_));
  peer.connections = peers_->connections();
  admin::PortNumbers zookeeper = numbers(zookeeper_refusals_, nullptr);
  zookeeper.connections = zookeeper_->connections();
  std::vector<admin::PortNumbers> all = {std::move(client), std::move(peer),
                                         numbers(http_refusals_, current(http_tls_)),
                                         std::move(zookeeper)};
  if (config_.zookeeper_tls) {
    all.push_back(numbers(secure_zookeeper_refusals_, current(client_tls_)));
    all.back().connections = zookeeper_->secure_connections();
  }
  return all;
}

void Server::StartCore() {
  replica::Adapters adapters;
  adapters.log = disk_thread_.get();
  adapters.store = store_thread_.get();
  egress_ = std::make_unique<EgressFan>(zookeeper_->sink(), zookeeper_->egress(), api_->egress());
  adapters.egress = egress_.get();
  adapters.peers = peers_.get();
  adapters.disk_bytes = [this] { return facts_.disk_bytes.load(); };
  adapters.post = [this](io::Event event) { inbox_.Post(std::move(event)); };
  auto replica = std::make_unique<replica::Replica>(ReplicaOptions(), std::move(opened_.recovered),
                                                    std::move(adapters), Observe(),
                                                    base::Rng(posix::RandomNumber()), posix::Now());
  core_ = std::make_unique<CoreThread>(
      &inbox_, std::move(replica), CoreThread::Clocks{posix::Now, posix::WallNow}, api_->egress(),
      [this](base::Instant now) { metrics_.Turned(now); });
}

replica::Observer Server::Observe() {
  replica::Observer observer;
  observer.on_flush = [this](const replica::Gauges& gauges) { Publish(gauges); };
  observer.on_peers = [this](const std::vector<replica::PeerGauges>& peers) {
    std::vector<admin::PeerProgress> progress;
    for (const replica::PeerGauges& peer : peers) progress.push_back({peer.id, peer.lag_entries});
    metrics_.peers().SetProgress(std::move(progress));
  };
  observer.on_round_trip = [this](model::ServerId peer, base::Duration taken) {
    metrics_.peers().ObserveRoundTrip(peer, taken);
  };
  observer.on_commit = [this](base::Duration taken) { metrics_.Observe(Timing::kCommit, taken); };
  observer.clock = posix::Now;
  observer.on_apply = [this](base::Duration taken, size_t entries) {
    metrics_.Observe(Timing::kApply, taken);
    metrics_.Add(Counter::kAppliedEntries, entries);
  };
  // Synced on the core thread: it happens once in a data dir's life, before anything is answered.
  observer.on_cluster = [this](model::ClusterId cluster) {
    if (const absl::Status joined = opened_.data_dir->JoinCluster(cluster); !joined.ok()) {
      base::Fatal(std::string(joined.message()));
    }
    facts_.cluster = cluster.value();
  };
  observer.on_event = [this](const std::string& event) {
    metrics_.Add(Counter::kLoggedEvents);
    base::Log(base::Severity::kInfo, "replica", {{"what", event}});
  };
  observer.on_stop = [](const std::string& why) { base::Fatal(why); };
  return observer;
}

// On the core thread, after every turn.
void Server::Publish(const replica::Gauges& gauges) {
  JudgeReady(gauges);
  facts_.term = gauges.term.value();
  metrics_.Set(Gauge::kRole, static_cast<uint64_t>(gauges.role));
  metrics_.Set(Gauge::kLeader, gauges.leader.value());
  metrics_.Set(Gauge::kTerm, gauges.term.value());
  metrics_.Set(Gauge::kCommitted, gauges.committed.value());
  metrics_.Set(Gauge::kApplied, gauges.applied.value());
  metrics_.Set(Gauge::kStored, gauges.stored.value());
  metrics_.Set(Gauge::kUnstoredBytes, gauges.unstored_bytes);
  metrics_.Set(Gauge::kNodes, gauges.nodes);
  metrics_.Set(Gauge::kNodeBytes, gauges.data_bytes);
  metrics_.Set(Gauge::kEphemerals, gauges.ephemerals);
  metrics_.Set(Gauge::kSessions, gauges.sessions);
  metrics_.Set(Gauge::kStreams, gauges.streams);
  metrics_.Set(Gauge::kWatches, gauges.watches);
  metrics_.Set(Gauge::kPendingRequests, gauges.pending_requests);
  metrics_.Set(Gauge::kDiskFree, gauges.disk_free_bytes);
  metrics_.Set(Gauge::kNoSpace, gauges.no_space);
  metrics_.Set(Gauge::kOverloaded, gauges.overloaded);
  metrics_.Set(Gauge::kMembers, gauges.members);
  metrics_.Set(Gauge::kMembersHeard, gauges.members_reachable);
  metrics_.Set(Gauge::kLearners, gauges.learners);
  metrics_.Set(Gauge::kLearnersHeard, gauges.learners_reachable);
  metrics_.Set(Gauge::kPendingProposals, gauges.pending_commands);
  metrics_.Set(Gauge::kUncommittedBytes, gauges.uncommitted_bytes);
  metrics_.SetTotal(Counter::kElections, gauges.raft.elections);
  metrics_.SetTotal(Counter::kHeartbeatFailures, gauges.raft.heartbeats_unanswered);
  metrics_.SetTotal(Counter::kLeaderChanges, gauges.leader_changes);
  metrics_.SetTotal(Counter::kForwardedProposals, gauges.forwarded_commands);
  metrics_.SetTotal(Counter::kDigestMismatches, gauges.digest_mismatches);

  const posix::DiskGauges disk = disk_thread_->gauges();
  metrics_.SetTotal(Counter::kWalBytes, disk.written_bytes);
  metrics_.SetTotal(Counter::kWalSegmentsDeleted, disk.retired_segments);
}

// Before the numbers that /readyz compares: it must not see the new ones against the old bound.
void Server::JudgeReady(const replica::Gauges& gauges) {
  const uint64_t known = gauges.known_committed.value();
  const bool named = facts_.cluster.load() != 0;
  const bool ready = gauges.leader && named && gauges.applied.value() >= known;
  if (ready && !facts_.serving.exchange(true)) {
    api_->SetServing(true);
    base::Log(base::Severity::kInfo, "serving",
              {{"client", config_.client.listen.ToString()},
               {"http", config_.http.listen.ToString()},
               {"peer", config_.peer.listen.ToString()},
               {"zookeeper", config_.zookeeper.listen.ToString()},
               {"cluster", std::string(absl::StrCat(absl::Hex(facts_.cluster.load())))},
               {"revision", gauges.applied}});
  }
  const uint64_t slack = facts_.serving.load() ? std::min(known, kReadyLagMax) : 0;
  // As long as the ensemble has no name, the entry that gives it one is still to come.
  metrics_.Set(Gauge::kReadyAt, named ? known - slack : gauges.applied.value() + 1);
}

// --- The end ----------------------------------------------------------------------------------

bool Server::Stop() {
  base::Log(base::Severity::kInfo, "stopping");
  api_->SetServing(false);
  const bool answered = core_->Stop(kAnswerPatience);
  // At once: broken channels tell the others that this server is gone, if it could not hand over.
  // Before the store: snapshots go through both.
  peers_->Shutdown();
  facts_.commands = nullptr;
  zookeeper_->Stop();
  api_->Shutdown(kCallGrace);
  metrics_.peers().SetSource({});
  metrics_.ports().SetSource(nullptr);
  store_thread_.reset();
  peers_.reset();
  disk_thread_.reset();
  http_.reset();
  base::Log(base::Severity::kInfo, "stopped", {{"all_answered", answered}});
  return answered;
}

}  // namespace pando::server
