// GrpcPeers: io::Peers over gRPC, and the server that listens on the peer port.
//
//   core ── Send ──► Link ──► socket          socket ──► Listener ──► Inbox
//   pando-peer: connects, connects again, clears away, ends callers that are silent
//
// A message takes no thread but the one whose turn sends it and one of gRPC's on its way out, and
// one of gRPC's on its way in, which lends itself to the core (io/inbox.h).
#ifndef PANDO_PEER_GRPC_PEERS_H_
#define PANDO_PEER_GRPC_PEERS_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "io/inbox.h"
#include "io/peers.h"
#include "peer/counters.h"
#include "peer/link.h"
#include "peer/listener.h"
#include "peer/options.h"
#include "peer/snapshot_sender.h"
#include "transport/acceptor.h"

namespace pando::peer {

// How the channel to one peer is doing.
struct PeerStatus {
  model::ServerId id;
  bool connected = false;
  size_t queued_bytes = 0;
  std::shared_ptr<const Counters> counters;
};

class GrpcPeers : public io::Peers {
 public:
  // `inbox` outlives it. An error names the address that could not be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcPeers>> Start(Options options, io::Inbox* inbox);
  // REQUIRES: no sink of SendSnapshot() is left with anybody.
  ~GrpcPeers() override;

  // Ends all channels and snapshots; takes a second at most. REQUIRES: the core calls no more.
  void Shutdown() PANDO_EXCLUDES(mutex_);

  void SetPeers(io::PeerHello hello, std::vector<io::PeerAddress> peers) override
      PANDO_EXCLUDES(mutex_);
  void Send(model::ServerId to, std::vector<io::PeerMessage> messages) override
      PANDO_EXCLUDES(mutex_);
  void Refuse(io::ChannelId channel, io::Refusal refusal, std::string detail) override;
  std::shared_ptr<io::ScanSink> SendSnapshot(model::ServerId to) override PANDO_EXCLUDES(mutex_);

  // Where it listens.
  int port() const { return acceptor_->port(); }
  size_t connections() const { return acceptor_->connections(); }
  std::shared_ptr<const Counters> counters(model::ServerId peer) const {
    return counters_.Of(peer);
  }
  const Refusals& refusals() const { return listener_.refusals(); }
  // Of every peer that SetPeers has named by its id. From any thread.
  std::vector<PeerStatus> Statuses() PANDO_EXCLUDES(mutex_);

 private:
  GrpcPeers(Options options, io::Inbox* inbox);
  void Run() PANDO_EXCLUDES(mutex_);
  bool WaitUntil(base::Instant wake) PANDO_EXCLUDES(mutex_);
  void Forget(const std::shared_ptr<Link>& link) PANDO_EXCLUDES(mutex_);
  void Wake() PANDO_EXCLUDES(mutex_);
  std::shared_ptr<SnapshotCall> MakeSnapshotCall(model::ServerId to) PANDO_EXCLUDES(mutex_);
  void Retire(const SnapshotCall* done) PANDO_EXCLUDES(mutex_);

  const Options options_;
  io::Inbox* const inbox_;
  CountersByPeer counters_;
  Listener listener_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<transport::Acceptor> acceptor_;

  base::Mutex mutex_;
  base::CondVar changed_;
  base::Rng rng_ PANDO_GUARDED_BY(mutex_);
  io::PeerHello hello_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Link>> links_ PANDO_GUARDED_BY(mutex_);
  // Closed, and not finished.
  std::vector<std::shared_ptr<Link>> leaving_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<SnapshotCall>> snapshot_calls_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<SnapshotCall>> retired_ PANDO_GUARDED_BY(mutex_);
  bool woken_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pando::peer

#endif  // PANDO_PEER_GRPC_PEERS_H_
