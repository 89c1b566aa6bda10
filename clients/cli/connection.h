// Connection: calls to an ensemble, over the one of its servers that answers.
//
// Calls go to one endpoint at a time. One that is away, silent or unable to serve is left for the
// next, round and round, until the timeout has passed since the call began, or since a stream that
// had answered broke. A write is never sent again after its answer was lost: it is not known
// whether it was applied.
//
// Owned and used by one thread; only Alive is thread-safe.
#ifndef PANDO_CLIENTS_CLI_CONNECTION_H_
#define PANDO_CLIENTS_CLI_CONNECTION_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pando/v1/cluster.grpc.pb.h"
#include "pando/v1/session.grpc.pb.h"
#include "pando/v1/tree.grpc.pb.h"

namespace pando::cli {

// One server.
struct Server {
  explicit Server(std::shared_ptr<grpc::Channel> to);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::TreeService::Stub> tree;
  std::unique_ptr<v1::SessionService::Stub> session;
  std::unique_ptr<v1::ClusterService::Stub> cluster;
};

enum class CallKind {
  kRead,    // unary; sent again as long as there is time
  kWrite,   // unary; sent again only when it is certain that it was not applied
  kStream,  // has no deadline; its body goes on where it was when it is run again
};

class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  // `endpoints`: HOST:PORT each; at least one.
  Connection(std::vector<std::string> endpoints, std::chrono::milliseconds timeout);

  // One try of a call: makes it on `server` with `context` and returns its status.
  using Body = std::function<grpc::Status(const Server& server, grpc::ClientContext* context)>;
  // Runs `body` until it is OK or nothing more can be done; the failure is then as exit_code.h
  // says.
  absl::Status Call(CallKind kind, const Body& body);

  // A stream's body says that its server answers: the timeout counts from now.
  void Alive();

 private:
  // Makes `server_` one that is connected; UNAVAILABLE when the timeout has passed first.
  absl::Status Connect();
  // Waits for `channel` until it is connected or refused; at most until `until`.
  static bool WaitForConnected(grpc::Channel* channel, Clock::time_point until);
  // The current server is no good: the next call goes to the next endpoint.
  void Leave();
  // Waits a little longer each time; false when the timeout has passed.
  bool Pause();
  Clock::time_point deadline() const { return alive_.load() + timeout_; }

  const std::vector<std::string> endpoints_;
  const std::chrono::milliseconds timeout_;
  size_t current_ = 0;              // index of endpoints_
  std::unique_ptr<Server> server_;  // null: to be connected
  std::atomic<Clock::time_point> alive_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_CONNECTION_H_
