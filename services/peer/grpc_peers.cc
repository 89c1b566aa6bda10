#include "peer/grpc_peers.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "model/limits.h"
#include "protocol/wire.h"

namespace pando::peer {
namespace {

// Peers ping every 10 s; gRPC's own limit is 5 min.
constexpr int kMinPingIntervalMs = 5'000;
constexpr int kPingIntervalMs = 10'000;
constexpr int kPingTimeoutMs = 5'000;

// Connections on which nobody speaks gRPC, or nobody calls. A peer has one call to a connection.
constexpr base::Duration kFirstBytePatience = std::chrono::seconds(5);
constexpr int kHandshakeTimeoutMs = 5'000;
constexpr int kConnectionIdleMs = 10'000;
constexpr int kStreamsPerConnection = 4;

// What is over our own limit and below this gets an INVALID_ARGUMENT that says so.
constexpr size_t kReceiveSlackBytes = 64 * model::kKiB;

// What all connections together may hold of messages that are not complete. Beyond it gRPC reads
// less, then ends calls; an honest peer calls again.
constexpr size_t kReceivedBytesMax = 256 * model::kMiB;

constexpr std::chrono::milliseconds kStopPatience(500);

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcPeers>> GrpcPeers::Start(Options options, io::Inbox* inbox) {
  CHECK(options.now && options.id && options.connection_refusals != nullptr);
  std::unique_ptr<GrpcPeers> peers(new GrpcPeers(std::move(options), inbox));
  const Options& o = peers->options_;
  absl::StatusOr<std::unique_ptr<transport::Acceptor>> acceptor =
      transport::Acceptor::Listen({.address = o.listen_address,
                                   .tls = o.tls,
                                   .connections_max = o.connections_max,
                                   .patience = kFirstBytePatience,
                                   .now = o.now,
                                   .refusals = o.connection_refusals});
  if (!acceptor.ok()) return base::Annotate(acceptor.status(), "the port for other servers");
  peers->acceptor_ = *std::move(acceptor);

  grpc::ServerBuilder builder;
  peers->acceptor_->AddTo(&builder);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kConnectionIdleMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(model::kPeerMessageBytesMax + kReceiveSlackBytes));
  // gRPC reads a message whole, however long it says it is, before it looks at its own limit.
  builder.SetResourceQuota(grpc::ResourceQuota("pando-peer").Resize(kReceivedBytesMax));
  builder.RegisterService(&peers->listener_);
  peers->server_ = builder.BuildAndStart();
  if (peers->server_ == nullptr) return absl::InternalError("gRPC does not start");
  peers->acceptor_->Start();
  return peers;
}

GrpcPeers::GrpcPeers(Options options, io::Inbox* inbox)
    : options_(std::move(options)),
      inbox_(inbox),
      listener_(options_, inbox, &counters_, [this] { Wake(); }),
      rng_(options_.seed),
      thread_([this] { Run(); }) {}

GrpcPeers::~GrpcPeers() { Shutdown(); }

void GrpcPeers::Shutdown() {
  if (!thread_.joinable()) return;
  SetPeers({}, {});
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    for (const std::shared_ptr<SnapshotCall>& call : snapshot_calls_) call->Finish(false);
    changed_.NotifyOne();
  }
  thread_.join();
  if (server_ == nullptr) return;
  acceptor_->Stop();
  listener_.GoAway();
  server_->Shutdown(std::chrono::system_clock::now() + kStopPatience);
  server_->Wait();
}

void GrpcPeers::SetPeers(io::PeerHello hello, std::vector<io::PeerAddress> peers) {
  std::vector<std::shared_ptr<Link>> gone;
  {
    base::MutexLock lock(&mutex_);
    hello_ = std::move(hello);
    counters_.SetPeers(peers);
    listener_.SetPeers(peers);
    const auto kept = std::stable_partition(links_.begin(), links_.end(), [&](const auto& link) {
      return std::find(peers.begin(), peers.end(), link->address()) != peers.end();
    });
    gone.assign(kept, links_.end());
    links_.erase(kept, links_.end());
    leaving_.insert(leaving_.end(), gone.begin(), gone.end());
    const Link::Shared shared{options_, inbox_, &counters_, [this] { Wake(); }};
    for (io::PeerAddress& peer : peers) {
      const bool known = std::any_of(links_.begin(), links_.end(),
                                     [&](const auto& link) { return link->address() == peer; });
      if (!known) links_.push_back(std::make_shared<Link>(shared, std::move(peer), rng_.Next()));
    }
  }
  for (const std::shared_ptr<Link>& link : gone) link->Close();
  Wake();
}

void GrpcPeers::Send(model::ServerId to, std::vector<io::PeerMessage> messages) {
  std::shared_ptr<Link> link;
  {
    base::MutexLock lock(&mutex_);
    const auto found = std::find_if(links_.begin(), links_.end(),
                                    [&](const auto& l) { return l->address().id == to; });
    if (found != links_.end()) link = *found;
  }
  if (link != nullptr) {
    link->Send(messages);
  } else {
    counters_.Of(to)->dropped_messages += messages.size();
  }
}

std::vector<PeerStatus> GrpcPeers::Statuses() {
  std::vector<std::shared_ptr<Link>> links;
  {
    base::MutexLock lock(&mutex_);
    links = links_;
  }
  std::vector<PeerStatus> statuses;
  for (const std::shared_ptr<Link>& link : links) {
    // By the address only: nobody knows yet who is there.
    if (!link->address().id) continue;
    statuses.push_back({.id = link->address().id,
                        .connected = link->open(),
                        .queued_bytes = link->queued_bytes(),
                        .counters = counters_.Of(link->address().id)});
  }
  return statuses;
}

void GrpcPeers::Refuse(io::ChannelId channel, io::Refusal refusal, std::string detail) {
  listener_.Refuse(channel, refusal, std::move(detail));
}

std::shared_ptr<io::ScanSink> GrpcPeers::SendSnapshot(model::ServerId to) {
  base::MutexLock lock(&mutex_);
  return std::make_shared<SnapshotSink>(inbox_, to,
                                        protocol::EncodeGreeting({.to = to, .hello = hello_}),
                                        [this, to] { return MakeSnapshotCall(to); });
}

// On the scan thread.
std::shared_ptr<SnapshotCall> GrpcPeers::MakeSnapshotCall(model::ServerId to) {
  base::MutexLock lock(&mutex_);
  const auto link = std::find_if(links_.begin(), links_.end(),
                                 [&](const auto& l) { return l->address().id == to; });
  if (stopping_ || link == links_.end()) return nullptr;
  auto call = std::make_shared<SnapshotCall>(options_, inbox_, (*link)->address(),
                                             [this](SnapshotCall* done) { Retire(done); });
  snapshot_calls_.push_back(call);
  return call;
}

// A gRPC channel must not be destroyed in a reaction: the thread lets go of it.
void GrpcPeers::Retire(const SnapshotCall* done) {
  base::MutexLock lock(&mutex_);
  const auto found = std::find_if(snapshot_calls_.begin(), snapshot_calls_.end(),
                                  [&](const auto& call) { return call.get() == done; });
  CHECK(found != snapshot_calls_.end());
  retired_.push_back(std::move(*found));
  snapshot_calls_.erase(found);
  woken_ = true;
  changed_.NotifyOne();
}

// --- The thread pando-peer --------------------------------------------------------------------

// From under a link's lock: so no link is called under ours.
void GrpcPeers::Wake() {
  base::MutexLock lock(&mutex_);
  woken_ = true;
  changed_.NotifyOne();
}

void GrpcPeers::Run() {
  pthread_setname_np(pthread_self(), "pando-peer");
  base::Instant wake = base::kNever;
  while (WaitUntil(wake)) {
    std::vector<std::shared_ptr<Link>> links;
    std::vector<std::shared_ptr<Link>> leaving;
    std::vector<std::shared_ptr<SnapshotCall>> retired;
    io::PeerHello hello;
    {
      base::MutexLock lock(&mutex_);
      links = links_;
      leaving = leaving_;
      retired = std::move(retired_);
      retired_.clear();
      hello = hello_;
    }
    retired.clear();
    wake = listener_.Tend(options_.now());
    for (const std::shared_ptr<Link>& link : links) {
      wake = std::min(wake, link->Tend(options_.now(), hello));
    }
    for (const std::shared_ptr<Link>& link : leaving) {
      link->Tend(options_.now(), hello);
      if (link->finished()) Forget(link);
    }
  }
}

// False: it is time to stop.
bool GrpcPeers::WaitUntil(base::Instant wake) {
  base::MutexLock lock(&mutex_);
  while (!woken_) {
    if (stopping_ && leaving_.empty() && snapshot_calls_.empty()) return false;
    if (wake == base::kNever) {
      changed_.Wait(&mutex_);
      continue;
    }
    const base::Duration patience = wake - options_.now();
    if (patience <= base::Duration(0)) break;
    changed_.WaitFor(&mutex_, patience);
  }
  woken_ = false;
  return true;
}

void GrpcPeers::Forget(const std::shared_ptr<Link>& link) {
  base::MutexLock lock(&mutex_);
  std::erase(leaving_, link);
}

}  // namespace pando::peer
