// Connection: calls to an ensemble, over the one of its servers that answers.
//
// Calls go to one endpoint at a time. One that is away, silent, unable to serve or of another
// cluster is left for the next, round and round, until the timeout has passed since the call began,
// or since a stream that had answered broke. How long a server may be silent:
//   to a connect      1 s
//   to a unary call   its share of the timeout, which is divided among the endpoints
//   on a stream       15 s (pings)
// One endpoint has no next, and may be silent for the whole timeout. A write is never sent again
// after its answer was lost: it is not known whether it was applied.
//
// The cluster of the first answer is named in all that follows, so that nothing goes on in another;
// and a read sees what an earlier call has seen, on whichever server.
//
// Owned and used by one thread; only Alive is thread-safe.
#ifndef PANDO_CLIENTS_CLI_CONNECTION_H_
#define PANDO_CLIENTS_CLI_CONNECTION_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/tls/options.h"
#include "pando/v1/cluster.grpc.pb.h"
#include "pando/v1/session.grpc.pb.h"
#include "pando/v1/tree.grpc.pb.h"

namespace pando::cli {

// One server.
struct Server {
  Server(std::string at, std::shared_ptr<grpc::Channel> to);

  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::TreeService::Stub> tree;
  std::unique_ptr<v1::SessionService::Stub> session;
  std::unique_ptr<v1::ClusterService::Stub> cluster;
};

enum class CallKind {
  kRead,             // unary; sent again as long as there is time
  kWrite,            // unary; sent again only when it is certain that it was not applied
  kRepeatableWrite,  // unary; sent again like a read, because it is applied once all the same
  kStream,           // has no deadline; its body goes on where it was when it is run again
};

struct ConnectionOptions {
  std::vector<std::string> endpoints;  // HOST:PORT each; at least one
  std::chrono::milliseconds timeout{0};
  uint64_t cluster = 0;  // the one that is meant; 0: whichever answers first
  // Of reads.
  int64_t min_revision = 0;
  bool linearizable = false;
  std::vector<std::string> credentials;  // SCHEME:CREDENTIAL each; go with every call
  TlsOptions tls;
};

class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Connection(ConnectionOptions options);

  // One try of a call: makes it on `server` with `context` and returns its status.
  using Body = std::function<grpc::Status(const Server& server, grpc::ClientContext* context)>;
  // Runs `body` until it is OK or nothing more can be done; the failure is then as exit_code.h
  // says.
  absl::Status Call(CallKind kind, const Body& body);

  // A unary call of one method, such as &v1::TreeService::Stub::Get.
  template <class Stub, class Request, class Response>
  absl::Status Call(CallKind kind,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    Request request, Response* response) {
    return Call(kind, [&](const Server& server, grpc::ClientContext* context) {
      if (kind == CallKind::kRead) {
        PrepareRead(request.mutable_header());
      } else {
        Prepare(request.mutable_header());
      }
      const grpc::Status status = (Stub(server.channel).*method)(context, request, response);
      if (status.ok()) Heard(response->header());
      return status;
    });
  }

  // For bodies: what goes into each request, and what comes with each response.
  void Prepare(v1::RequestHeader* header) const { header->set_cluster_id(options_.cluster); }
  void PrepareRead(v1::RequestHeader* header) const;
  void Heard(const v1::ResponseHeader& header);
  // A stream's body says that its server answers: the timeout counts from now.
  void Alive();
  uint64_t cluster() const { return options_.cluster; }
  // With the cluster that was heard of, and the newest revision that was seen.
  const ConnectionOptions& options() const { return options_; }

 private:
  // Makes `server_` one that is connected; UNAVAILABLE when the timeout has passed first, and
  // FAILED_PRECONDITION at once when all of them can be reached and TLS is in the way.
  absl::Status Connect();
  // What is wrong with TLS at all endpoints, a line each; "" if that is not so of all.
  std::string WhatTlsLacks() const;
  // Waits for `channel` until it is connected or refused; at most until `until`.
  static bool WaitForConnected(grpc::Channel* channel, Clock::time_point until);
  // The current server is no good: the next call goes to the next endpoint.
  void Leave();
  // Waits a little longer each time; false when the timeout has passed.
  bool Pause();
  Clock::time_point deadline() const { return alive_.load() + options_.timeout; }

  ConnectionOptions options_;       // its cluster and min_revision follow what was heard
  size_t current_ = 0;              // index of endpoints
  std::unique_ptr<Server> server_;  // null: to be connected
  std::atomic<Clock::time_point> alive_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CONNECTION_H_
