// Server: the public gRPC API. It validates, translates and posts to the Inbox; it writes replies
// and streams; nothing else. It knows nothing of the replica behind the Inbox.
//
//   gRPC's threads ──► service ──► io::Inbox ──► core ──► io::Egress ──► egress thread ──► sockets
#ifndef PANDO_API_SERVER_H_
#define PANDO_API_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "io/client.h"
#include "io/inbox.h"
#include "model/acl.h"
#include "model/ids.h"
#include "net/refusals.h"
#include "transport/server_tls.h"

namespace pando::api {

// What goes on record of a call. Views: it lives as long as the call of on_audit.
struct AuditEntry {
  bool denied = false;
  std::string_view method;   // "ClusterService/AddMember"
  std::string_view caller;   // its identities, separated by spaces, digests without their hashes
  std::string_view path;     // the node that the trouble is with, if any
  std::string_view reason;   // "OK", "CANCELLED", or that of the refusal
  std::string_view request;  // an administrator's, as text
};

// What is called may be called from any thread, and must not block.
struct Options {
  std::string listen_address;           // HOST:PORT; port 0: any
  transport::ServerTls* tls = nullptr;  // null: without encryption; outlives the server
  size_t connections_max = 10'000;
  net::Refusals* refusals = nullptr;  // of connections; outlives the server
  model::ServerId server;
  size_t value_bytes_max = 0;  // of one node's data
  std::function<base::Instant()> now;
  std::function<std::string(size_t)> random_bytes;  // for session tokens
  std::function<model::ClusterId()> cluster;        // none as long as it is not known
  std::function<model::Term()> term;
  // The digest of whoever may do everything, "user:base64(sha1(user:password))". Empty: nobody.
  std::string super_digest;
  // Whoever has ADMIN in it may make the calls that are for administrators.
  model::Acl administrators;
  // A call was denied, or was an administrator's. May be null.
  std::function<void(const AuditEntry&)> on_audit;
  // One call ended: its method ("TreeService/Get"), how long it took, and the reason's name, "OK"
  // or "CANCELLED". May be null.
  std::function<void(std::string_view method, base::Duration, const char* reason)> on_request;
  // From the Outbox to the transport, for each batch of events (none: a mark). May be null.
  std::function<void(base::Duration, size_t events)> on_watch_delivery;
};

// Everything that Options.on_request may name.
std::vector<std::string> MethodNames();

class Server {
 public:
  // `inbox` outlives the server. An error names the address that could not be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options, io::Inbox* inbox);
  // REQUIRES: Shutdown() was called, and the core has stopped: it sends nothing to egress() nor to
  // any Outbox any more.
  ~Server();

  io::Egress* egress();
  // Where it listens.
  int port() const;
  // That are open.
  size_t connections() const;

  // What grpc.health.v1.Health says; not serving at first. Comes before the core is told to stop:
  // the streams that it ends then say UNAVAILABLE, and not that they have come to their end.
  void SetServing(bool serving);

  // Takes no new calls, asks the open streams to end, and waits for the calls under way; what is
  // left after `grace` is cancelled. Called once.
  void Shutdown(base::Duration grace);

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace pando::api

#endif  // PANDO_API_SERVER_H_
