// Listener: the peer port. It reads what other servers send and posts it, and decides nothing but
// whether a frame can be read and was meant for this server. Thread-safe.
#ifndef PANDO_PEER_LISTENER_H_
#define PANDO_PEER_LISTENER_H_

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "io/inbox.h"
#include "io/peers.h"
#include "pando/internal/v1/peer.grpc.pb.h"
#include "peer/options.h"

namespace pando::peer {

// Install waits for the disk, so it is a method of gRPC's synchronous kind, on threads of its own.
class Listener : public internal::v1::PeerService::WithCallbackMethod_Channel<
                     internal::v1::PeerService::Service> {
 public:
  // All outlive it.
  Listener(const Options& options, io::Inbox* inbox, Counters* counters);

  grpc::ServerBidiReactor<internal::v1::ChannelRequest, internal::v1::ChannelResponse>* Channel(
      grpc::CallbackServerContext* context) override PANDO_EXCLUDES(mutex_);

  grpc::Status Install(grpc::ServerContext* context,
                       grpc::ServerReader<internal::v1::InstallRequest>* reader,
                       internal::v1::InstallResponse* response) override PANDO_EXCLUDES(mutex_);

  // Ends a channel; nothing of it is posted any more but PeerClosed. Fine if it has ended.
  void Refuse(io::ChannelId id, io::Refusal refusal, std::string detail) PANDO_EXCLUDES(mutex_);
  // Ends all of them, and those that come.
  void GoAway() PANDO_EXCLUDES(mutex_);

 private:
  class Incoming;

  bool HasChannelOf(const io::PeerHello& hello) PANDO_EXCLUDES(mutex_);
  void Remove(io::ChannelId id) PANDO_EXCLUDES(mutex_);

  const Options& options_;
  io::Inbox* const inbox_;
  Counters* const counters_;

  base::Mutex mutex_;
  io::ChannelId last_id_ PANDO_GUARDED_BY(mutex_);
  bool going_away_ PANDO_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<io::ChannelId, std::shared_ptr<Incoming>> channels_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::peer

#endif  // PANDO_PEER_LISTENER_H_
