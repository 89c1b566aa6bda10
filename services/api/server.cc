#include "api/server.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/cluster_service.h"
#include "api/edge.h"
#include "api/election_service.h"
#include "api/lock_service.h"
#include "api/session_service.h"
#include "api/tree_service.h"
#include "base/check.h"
#include "base/status.h"
#include "model/limits.h"
#include "transport/acceptor.h"

namespace pando::api {
namespace {

// Clients ping every 10 s, also while nothing is under way; gRPC's own limit is 5 min.
constexpr int kMinPingIntervalMs = 5'000;
// A client that is gone without a word is noticed after so long.
constexpr int kServerPingIntervalMs = 30'000;
constexpr int kServerPingTimeoutMs = 10'000;

// What a stranger can make the port cost. Before the first call: how long it may take to say the
// first byte, and then to shake hands and say what HTTP/2 begins with. A connection without a call
// is closed; a client opens another when it has something to ask.
constexpr base::Duration kFirstBytePatience = std::chrono::seconds(10);
constexpr int kHandshakeTimeoutMs = 10'000;
constexpr int kConnectionIdleMs = 60'000;
constexpr int kStreamsPerConnection = 1'000;
// All of a call's headers: room for the identities that a caller may show.
constexpr size_t kMetadataBytesMax = 16 * model::kKiB;
// What all connections together may hold of messages that are not complete: gRPC reads a message
// whole, however long it says it is, before it looks at its limit. Beyond it gRPC reads less, then
// ends calls.
constexpr size_t kReceivedBytesMax = 512 * model::kMiB;

// A largest command's message has its framing besides; what is over our own limit and below this
// gets a proper TOO_LARGE instead of gRPC's RESOURCE_EXHAUSTED.
constexpr size_t kReceiveSlackBytes = 1 * model::kMiB;

}  // namespace

class Server::Parts {
 public:
  Parts(Options options, io::Inbox* inbox)
      : edge(std::move(options), inbox),
        tree(&edge),
        session(&edge),
        cluster(&edge),
        lock(&edge),
        election(&edge) {}

  Edge edge;
  TreeService tree;
  SessionService session;
  ClusterService cluster;
  LockService lock;
  ElectionService election;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<transport::Acceptor> acceptor;
  bool shut_down = false;
};

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const char* file : {"tree", "session", "lock", "election", "cluster"}) {
    const google::protobuf::FileDescriptor* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
            absl::StrCat("pando/v1/", file, ".proto"));
    CHECK(descriptor != nullptr);
    for (int i = 0; i < descriptor->service_count(); ++i) {
      const google::protobuf::ServiceDescriptor& service = *descriptor->service(i);
      for (int j = 0; j < service.method_count(); ++j) {
        names.push_back(service.name() + "/" + service.method(j)->name());
      }
    }
  }
  return names;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options, io::Inbox* inbox) {
  CHECK(options.now && options.random_bytes && options.cluster && options.term);
  CHECK(options.refusals != nullptr);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto parts = std::make_unique<Parts>(std::move(options), inbox);
  const Options& o = parts->edge.options();
  absl::StatusOr<std::unique_ptr<transport::Acceptor>> acceptor =
      transport::Acceptor::Listen({.address = o.listen_address,
                                   .tls = o.tls,
                                   .connections_max = o.connections_max,
                                   .patience = kFirstBytePatience,
                                   .now = o.now,
                                   .refusals = o.refusals});
  if (!acceptor.ok()) return base::Annotate(acceptor.status(), "the port for clients");
  parts->acceptor = *std::move(acceptor);

  grpc::ServerBuilder builder;
  parts->acceptor->AddTo(&builder);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kServerPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kServerPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kConnectionIdleMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMetadataBytesMax));
  builder.SetResourceQuota(grpc::ResourceQuota("pando-client").Resize(kReceivedBytesMax));
  builder.SetMaxReceiveMessageSize(static_cast<int>(model::kCommandBytesMax + kReceiveSlackBytes));
  builder.RegisterService(&parts->tree);
  builder.RegisterService(&parts->session);
  builder.RegisterService(&parts->cluster);
  builder.RegisterService(&parts->lock);
  builder.RegisterService(&parts->election);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr) return absl::InternalError("gRPC does not start");
  parts->acceptor->Start();
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  server->SetServing(false);
  return server;
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { CHECK(parts_->shut_down); }

io::Egress* Server::egress() { return parts_->edge.egress(); }

int Server::port() const { return parts_->acceptor->port(); }

size_t Server::connections() const { return parts_->acceptor->connections(); }

void Server::SetServing(bool serving) {
  parts_->edge.SetServing(serving);
  grpc::HealthCheckServiceInterface* health = parts_->server->GetHealthCheckService();
  CHECK(health != nullptr);
  health->SetServingStatus(serving);
}

void Server::Shutdown(base::Duration grace) {
  CHECK(!parts_->shut_down);
  parts_->shut_down = true;
  SetServing(false);
  parts_->acceptor->Stop();
  parts_->edge.StopStreams();
  // Calls that are left then are cancelled, and OnCancel finishes each.
  parts_->server->Shutdown(std::chrono::system_clock::now() +
                           std::chrono::duration_cast<std::chrono::system_clock::duration>(grace));
  parts_->server->Wait();
}

}  // namespace pando::api
