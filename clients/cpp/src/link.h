// Link: the one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream. It
// lasts until the first of them fails; whoever made it then makes another, on the next server.
//
// The session's thread's own. It must not be destroyed in one of its handlers.
#ifndef PANDO_CLIENTS_CPP_SRC_LINK_H_
#define PANDO_CLIENTS_CPP_SRC_LINK_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "backlog.h"
#include "beat.h"
#include "lease.h"
#include "loop.h"
#include "pando/v1/tree.grpc.pb.h"
#include "pipeline.h"
#include "stream.h"
#include "watches.h"

namespace pando::client {

class Link final {
 public:
  using WatchStream = Stream<grpc::ClientAsyncReader<v1::WatchResponse>, v1::WatchResponse>;

  struct Handlers {
    absl::AnyInvocable<void()> attached;
    absl::AnyInvocable<void(absl::Status why)> ended;  // once
  };

  Link(std::shared_ptr<grpc::Channel> channel, Loop* loop, Lease* lease, Backlog* backlog,
       Watches* watches, Handlers handlers);
  ~Link();

  // Moves the session here.
  void Attach();
  // From now on it beats, watches and asks.
  void Serve();
  // Ends it, and says why.
  void Fail(absl::Status why);

  // Something waits in the backlog.
  void Wake();
  // Opens the stream that fits what is watched, instead of the one at hand.
  void Rewatch();
  // Runs `told` once all was told that comes before a reply with this header, in the order of the
  // replies; never, if the link ends first.
  void Hold(const v1::ResponseHeader& header, Loop::Task told);
  // The watches have moved.
  void Release();

  // For calls of their own on its server.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  Loop* loop() const { return loop_; }
  Lease* lease() const { return lease_; }
  std::shared_ptr<WatchStream> Watch(const v1::WatchRequest& request,
                                     WatchStream::Handlers handlers);

 private:
  struct Held {
    v1::ResponseHeader header;
    Loop::Task told;
  };

  void WatchEnded(const absl::Status& why);

  const std::shared_ptr<grpc::Channel> channel_;
  Loop* const loop_;
  Lease* const lease_;
  Backlog* const backlog_;
  Watches* const watches_;
  Handlers handlers_;
  std::optional<Pipeline> pipeline_;
  std::optional<Beat> beat_;
  std::shared_ptr<WatchStream> watch_;
  std::deque<Held> held_;
  bool serving_ = false;
  bool ended_ = false;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_LINK_H_
