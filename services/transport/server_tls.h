// ServerTls: what makes a gRPC server's port speak TLS, with certificates that are renewed while it
// runs.
//
// gRPC watches files, and must never see a pair that does not match: it drops the old pair before
// it looks at the new one. So it watches one file in memory, into which the watcher puts what it
// has checked.
//
// Client certificates are judged here and not in the handshake, where gRPC says neither whose
// certificate was refused nor why. Nobody gets to HTTP/2 before that. The price: who is refused
// sees the connection end after the handshake, instead of an alert in it.
#ifndef PANDO_TRANSPORT_SERVER_TLS_H_
#define PANDO_TRANSPORT_SERVER_TLS_H_

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "net/refusals.h"
#include "tls/watcher.h"
#include "transport/handshakes.h"
#include "transport/memory_file.h"

namespace pando::transport {

class ServerTls {
 public:
  struct Options {
    tls::Files files;  // with a CA: whoever connects must show a certificate of it
    std::function<base::WallTime()> now;
    net::Refusals* refusals = nullptr;  // outlives the gRPC server; names the port
  };
  // Fails if the files cannot be used now.
  static absl::StatusOr<std::unique_ptr<ServerTls>> Start(Options options);

  // For a gRPC server that ends before this does: one for each door of handshakes().
  const std::vector<std::shared_ptr<grpc::ServerCredentials>>& credentials() const {
    return credentials_;
  }
  Handshakes* handshakes() { return &handshakes_; }
  std::shared_ptr<const tls::Material> current() const { return watcher_->current(); }

 private:
  explicit ServerTls(size_t doors) : handshakes_(doors) {}

  std::unique_ptr<MemoryFile> pair_;
  std::unique_ptr<tls::Watcher> watcher_;
  Handshakes handshakes_;
  std::vector<std::shared_ptr<grpc::ServerCredentials>> credentials_;
};

}  // namespace pando::transport

#endif  // PANDO_TRANSPORT_SERVER_TLS_H_
