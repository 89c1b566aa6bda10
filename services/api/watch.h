// WatchCall: one watch stream: gRPC's end of it, and the Outbox that the core writes to.
//
//   core, scan thread ──► TryWrite… ──► queue_ ──► messages_ ──► client
//                             │                └─ at most kWatchMessageBytesMax each; what one
//                             │                   revision has more goes into `partial` messages
//                             └─ full: false, and StreamDrained once half of it is written
//
// Bounded by kOutboxBytesMax, measured in StreamBatch::bytes; a single larger batch is taken when
// the Outbox is empty. Owned by gRPC until OnDone and by the core until the stream ends there;
// after OnDone it takes everything and drops it. Thread-safe; as for Pipeline, gRPC is called
// under the lock.
#ifndef PANDO_API_WATCH_H_
#define PANDO_API_WATCH_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "pando/v1/tree.pb.h"

namespace pando::api {

class WatchCall : public grpc::ServerWriteReactor<v1::WatchResponse>,
                  public io::Stream,
                  public io::ReplySink,
                  public Writer,
                  public OpenStream,
                  public std::enable_shared_from_this<WatchCall> {
 public:
  static WatchCall* Start(Edge* edge, const grpc::CallbackServerContext& context,
                          const v1::WatchRequest& request);

  explicit WatchCall(const Call& call);

  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  bool TryWrite(model::StreamBatch batch) override PANDO_EXCLUDES(mutex_);
  bool TryWriteInitial(model::Revision revision, model::WalkResult part) override
      PANDO_EXCLUDES(mutex_);
  void WriteInitialDone(model::Revision revision, model::WalkResult rest) override
      PANDO_EXCLUDES(mutex_);
  void End(model::Error error) override PANDO_EXCLUDES(mutex_);

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);
  void GoAway() override PANDO_EXCLUDES(mutex_);

 private:
  struct Initial {
    model::Revision revision;
    model::WalkResult part;
    bool done = false;  // it is the last one
  };
  struct Item {
    std::variant<model::StreamBatch, Initial> body;
    size_t bytes = 0;
    base::Instant taken;
  };

  bool TryPush(Item item) PANDO_EXCLUDES(mutex_);
  void Push(Item item) PANDO_REQUIRES(mutex_);
  void SchedulePump() PANDO_REQUIRES(mutex_);
  void Proceed() PANDO_REQUIRES(mutex_);
  void EndWith(grpc::Status status, const model::Error& error = {}) PANDO_REQUIRES(mutex_);
  // Turns one item into the messages that say it.
  void Expand(const model::StreamBatch& batch) PANDO_REQUIRES(mutex_);
  void Expand(const Initial& initial) PANDO_REQUIRES(mutex_);
  v1::WatchResponse* AddMessage(model::Revision revision) PANDO_REQUIRES(mutex_);
  void Release(bool written) PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;
  const model::StreamId stream_;

  base::Mutex mutex_;
  // Until the header is found good by the core, if it asks for anything there.
  std::optional<io::WatchOpen> open_ PANDO_GUARDED_BY(mutex_);
  bool posted_ PANDO_GUARDED_BY(mutex_) = false;     // the core knows the stream, until WatchClose
  bool all_once_ PANDO_GUARDED_BY(mutex_) = false;   // it can come to an end of its own
  bool scheduled_ PANDO_GUARDED_BY(mutex_) = false;  // Pump is on its way

  std::deque<Item> queue_ PANDO_GUARDED_BY(mutex_);  // the first is in messages_ if those are any
  size_t bytes_ PANDO_GUARDED_BY(mutex_) = 0;        // of queue_
  bool refused_ PANDO_GUARDED_BY(mutex_) = false;    // StreamDrained is owed
  std::deque<v1::WatchResponse> messages_ PANDO_GUARDED_BY(mutex_);  // the first is gRPC's
  model::Revision progress_ PANDO_GUARDED_BY(mutex_);
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool broken_ PANDO_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<WatchCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_WATCH_H_
