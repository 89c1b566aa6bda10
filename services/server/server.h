// Server: one pandod, wired together. It knows everything and decides nothing.
//
//   api, zookeeper ──► Inbox ──► CoreThread(Replica) ──► DiskThread(Wal), StoreThread(LevelDB)
//    ▲                                    │                        │              │
//    └──────────── replies, streams ◄─────┘           Inbox ◄──────┴──────────────┘
#ifndef PANDO_SERVER_SERVER_H_
#define PANDO_SERVER_SERVER_H_

#include <atomic>
#include <memory>
#include <vector>

#include "admin/http_server.h"
#include "admin/metrics.h"
#include "api/server.h"
#include "base/status.h"
#include "io/inbox.h"
#include "net/refusals.h"
#include "peer/grpc_peers.h"
#include "posix/disk_thread.h"
#include "server/audit_log.h"
#include "server/config.h"
#include "server/core_thread.h"
#include "server/egress_fan.h"
#include "server/start.h"
#include "store/store_thread.h"
#include "tls/watcher.h"
#include "transport/server_tls.h"
#include "zookeeper/server.h"

namespace pando::server {

class Server {
 public:
  // Serves from its return on; /readyz and gRPC health say when it can answer.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config);
  // Stop() was called.
  ~Server();

  // Answers what is under way, ends streams, stores everything. False: it took too long, and some
  // calls were cut off.
  bool Stop();

 private:
  // What other threads may know of the core. Atomic.
  struct Facts {
    std::atomic<uint64_t> cluster{0};
    std::atomic<uint64_t> term{0};
    std::atomic<bool> serving{false};     // has been up to date once
    std::atomic<uint64_t> disk_bytes{0};  // of the data dir, as of the last write of the store
    std::atomic<zookeeper::Server*> commands{nullptr};  // whom to ask; null: it does not run
  };

  explicit Server(const Config& config);
  absl::Status StartTls();
  absl::Status Open();
  store::StoreOptions StoreOptionsWith(const Config& config);
  replica::Options ReplicaOptions() const;
  replica::Observer Observe();
  void Publish(const replica::Gauges& gauges);
  void JudgeReady(const replica::Gauges& gauges);
  admin::PeerMetrics::Source PeerSource();
  std::vector<admin::PortNumbers> PortNumbers() const;
  absl::Status StartApi();
  absl::Status OpenAuditLog();
  absl::Status ListenZooKeeper();
  absl::Status StartHttp();
  admin::HttpAnswer AnswerCommand(const std::string& name) const;
  void StartStorage();
  absl::Status StartPeers();
  void StartCore();

  const Config config_;
  admin::Metrics metrics_;
  Facts facts_;
  net::Refusals client_refusals_;
  net::Refusals peer_refusals_;
  net::Refusals http_refusals_;
  net::Refusals zookeeper_refusals_;
  net::Refusals secure_zookeeper_refusals_;
  // None: without encryption. What uses them ends before they do.
  std::unique_ptr<transport::ServerTls> client_tls_;
  std::unique_ptr<transport::ServerTls> peer_tls_;
  std::unique_ptr<tls::Watcher> http_tls_;
  io::Inbox inbox_;
  Opened opened_;
  std::unique_ptr<posix::DiskThread> disk_thread_;
  std::unique_ptr<store::StoreThread> store_thread_;
  std::unique_ptr<peer::GrpcPeers> peers_;
  std::unique_ptr<AuditLog> audit_log_;  // null: none is wanted
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<zookeeper::Server> zookeeper_;
  std::unique_ptr<EgressFan> egress_;
  std::unique_ptr<admin::HttpServer> http_;
  std::unique_ptr<CoreThread> core_;
};

}  // namespace pando::server

#endif  // PANDO_SERVER_SERVER_H_
