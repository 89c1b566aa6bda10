// Listener: the peer port. It reads what other servers send and posts it, and decides nothing but
// whether a frame can be read and was meant for this server.
//
// Whoever can reach the port may say anything, so everything is bounded: how long and how many may
// be silent about who they are, how many channels one server has, and how much of a channel the
// core has not handled yet; a channel over that is not read on. Thread-safe.
#ifndef PANDO_PEER_LISTENER_H_
#define PANDO_PEER_LISTENER_H_

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/mutex.h"
#include "base/time.h"
#include "io/inbox.h"
#include "io/peers.h"
#include "pando/internal/v1/peer.grpc.pb.h"
#include "peer/counters.h"
#include "peer/member_names.h"
#include "peer/options.h"
#include "peer/refusals.h"

namespace pando::peer {

// Install waits for the disk, so it is a method of gRPC's synchronous kind, on threads of its own.
class Listener : public internal::v1::PeerService::WithCallbackMethod_Channel<
                     internal::v1::PeerService::Service> {
 public:
  // All outlive it. `wake` makes Tend come soon.
  Listener(const Options& options, io::Inbox* inbox, CountersByPeer* counters,
           std::function<void()> wake);

  grpc::ServerBidiReactor<internal::v1::ChannelRequest, internal::v1::ChannelResponse>* Channel(
      grpc::CallbackServerContext* context) override PANDO_EXCLUDES(mutex_);

  grpc::Status Install(grpc::ServerContext* context,
                       grpc::ServerReader<internal::v1::InstallRequest>* reader,
                       internal::v1::InstallResponse* response) override PANDO_EXCLUDES(mutex_);

  // Whose certificates are looked at.
  void SetPeers(std::vector<io::PeerAddress> peers) { names_.Set(std::move(peers)); }
  // Ends a channel; nothing of it is posted any more but PeerClosed. Fine if it has ended.
  void Refuse(io::ChannelId id, io::Refusal refusal, std::string detail) PANDO_EXCLUDES(mutex_);
  // Ends whatever has been silent for too long. Returns when it wants to be tended again.
  base::Instant Tend(base::Instant now) PANDO_EXCLUDES(mutex_);
  // Ends all of them, and those that come.
  void GoAway() PANDO_EXCLUDES(mutex_);

  const Refusals& refusals() const { return refusals_; }

 private:
  class Incoming;
  class Installing;
  using Caller = std::pair<model::ServerId, model::StorageId>;
  struct Known {
    std::shared_ptr<Incoming> incoming;
    base::Instant hello_by;        // kNever once it was said, or it has ended
    std::optional<Caller> caller;  // it is open
  };
  // A snapshot's call of which nothing was read yet.
  struct Unread {
    grpc::ServerContext* context = nullptr;
    base::Instant hello_by;
  };

  // "" if the caller may be who it says; always so without TLS.
  std::string WhyNotTheOne(const grpc::AuthContext& connection, const io::PeerHello& hello) const;
  // The rest of a snapshot, from its first part on; counts the records' bytes.
  grpc::Status Receive(grpc::ServerReader<internal::v1::InstallRequest>* reader,
                       internal::v1::InstallRequest* part, uint64_t* bytes);
  // The channel says who it is. Returns the oldest one of that caller if it has too many.
  std::shared_ptr<Incoming> Greeted(io::ChannelId id, Caller caller) PANDO_EXCLUDES(mutex_);
  bool HasChannelOf(const io::PeerHello& hello) const PANDO_EXCLUDES(mutex_);
  void Ended(io::ChannelId id) PANDO_EXCLUDES(mutex_);
  void Remove(io::ChannelId id) PANDO_EXCLUDES(mutex_);
  std::shared_ptr<Incoming> OldestSilent() const PANDO_REQUIRES(mutex_);

  const Options& options_;
  io::Inbox* const inbox_;
  CountersByPeer* const counters_;
  const std::function<void()> wake_;
  Refusals refusals_;
  MemberNames names_;

  mutable base::Mutex mutex_;
  io::ChannelId last_id_ PANDO_GUARDED_BY(mutex_);
  bool going_away_ PANDO_GUARDED_BY(mutex_) = false;
  absl::btree_map<io::ChannelId, Known> channels_ PANDO_GUARDED_BY(mutex_);  // the oldest first
  std::list<Unread> unread_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::peer

#endif  // PANDO_PEER_LISTENER_H_
