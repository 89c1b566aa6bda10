// Server: the ZooKeeper port, and the same under TLS. It translates and posts to the Inbox as api
// does, over TCP; it knows nothing of the replica behind it.
//
//   sockets ──► Connection ──► io::Inbox ──► core ──► Intake ──► Feed ──► WatchTable, Connection
//
// One thread does all of it. It sees every change of the tree through one watch stream, and keeps
// who watches what by itself: ZooKeeper's watches are a matter of one server and one connection.
#ifndef PANDO_ZOOKEEPER_SERVER_H_
#define PANDO_ZOOKEEPER_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "io/client.h"
#include "io/inbox.h"
#include "model/ids.h"
#include "net/refusals.h"
#include "tls/material.h"
#include "zookeeper/denial.h"
#include "zookeeper/four_letter.h"
#include "zookeeper/operator_desk.h"

namespace pando::zookeeper {

// What is called may be called from the port's thread, and must not block.
struct Options {
  // One of the two ports, by its place.
  struct Port {
    std::string listen_address;         // HOST:PORT; port 0: any
    net::Refusals* refusals = nullptr;  // of its connections; outlives the server
  };
  Port plain;
  std::optional<Port> secure;  // speaks TLS, with what `material` says at each handshake
  std::function<std::shared_ptr<const tls::Material>()> material;
  size_t connections_max = 10'000;  // of both
  size_t value_bytes_max = 0;       // of one node's data
  size_t reply_bytes_max = 0;       // of what a client reads at once
  std::function<base::Instant()> now;
  std::function<base::WallTime()> wall_now;
  std::function<std::string(size_t)> random_bytes;  // for passwords
  model::ServerId server;                           // this one
  bool reconfig = false;         // clients may change the membership (reconfiguration.h)
  bool keeper = false;           // and ask what ClickHouse Keeper has besides (keeper.h)
  std::string super_digest;      // "user:hash" of whoever may do everything; empty: nobody
  std::vector<Word> words;       // that are answered
  std::function<Facts()> facts;  // for them
  std::function<OpenFiles()> open_files;
  // One request was answered: its name ("zookeeper/getData"), how long it took, and the reason's
  // name as the native API has it, "OK" or that of the refusal. May be null.
  std::function<void(const char* name, base::Duration taken, const char* reason)> on_request;
  // Somebody was not allowed to do something. May be null.
  std::function<void(const Denial&)> on_denied;
};

class Server {
 public:
  // Listens, and accepts once Start() is called. `inbox` outlives it. UNAVAILABLE names the
  // address.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(Options options, io::Inbox* inbox);
  // REQUIRES: Stop() was called, and the core has stopped.
  ~Server();

  void Start();
  // Closes the port and every connection. Sessions live on, until their timeouts.
  void Stop();

  // Answers what ZooKeeper's AdminServer is asked, GET /commands/`name`. From any thread but the
  // port's; it waits, two seconds at most.
  CommandAnswer Command(const std::string& name);

  // What is handed out in a turn: the parcels whose sink is sink(), and the end of the turn.
  io::Egress* egress();
  const io::ReplySink* sink() const;
  // Of the plain port, and of the secure one, if there is that.
  int port() const;
  int secure_port() const;
  // That are open.
  size_t connections() const;
  size_t secure_connections() const;

 private:
  class Core;
  explicit Server(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_SERVER_H_
