// Acceptor: takes a port's connections and hands them to gRPC.
//
// gRPC 1.51 has no limit of connections, waits for minutes on who says nothing, and never accepts
// again once it had no file descriptor left (CVE-2023-4785). Here there is a limit; who says
// nothing is sent away; and who speaks TLS to a port that does not, or the other way round, is
// named in the log. Thread-safe; has a thread of its own.
//
//   accept ──► too many? ──► the first byte ──► TLS as it should be? ──► gRPC
#ifndef PANDO_TRANSPORT_ACCEPTOR_H_
#define PANDO_TRANSPORT_ACCEPTOR_H_

#include <grpcpp/server_builder.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "net/refusals.h"
#include "transport/server_tls.h"

namespace pando::transport {

class Acceptor {
 public:
  struct Options {
    std::string address;       // HOST:PORT; port 0: any
    ServerTls* tls = nullptr;  // null: without encryption; outlives it, and the gRPC server
    size_t connections_max = 0;
    base::Duration patience{0};  // for the first byte
    std::function<base::Instant()> now;
    net::Refusals* refusals = nullptr;  // outlives it; names the port
  };

  // Listens; nobody is accepted yet. UNAVAILABLE names the address and why not.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(Options options);
  ~Acceptor();

  // Called once, on the way to the server that gets the connections.
  void AddTo(grpc::ServerBuilder* builder);
  // That server is started, and is shut down only after Stop(). Called once.
  void Start();
  // Closes the port. What gRPC has got stays open.
  void Stop();

  int port() const;
  // That are open, as of the last second.
  size_t connections() const;

 private:
  class Core;
  explicit Acceptor(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_ACCEPTOR_H_
