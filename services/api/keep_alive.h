// KeepAliveCall: one KeepAlive stream: a message is read, its session's lease renewed, the answer
// written, and then the next one read. Thread-safe; as for Pipeline, gRPC is called under the lock.
#ifndef PANDO_API_KEEP_ALIVE_H_
#define PANDO_API_KEEP_ALIVE_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "pando/v1/session.pb.h"

namespace pando::api {

class KeepAliveCall : public grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>,
                      public io::ReplySink,
                      public Writer,
                      public OpenStream,
                      public std::enable_shared_from_this<KeepAliveCall> {
 public:
  static KeepAliveCall* Start(Edge* edge, grpc::CallbackServerContext* context);

  explicit KeepAliveCall(const Call& call) : edge_(call.edge()), call_(call) {}

  void OnReadDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);  // the Inbox has room
  void GoAway() override PANDO_EXCLUDES(mutex_);

 private:
  // Where the one message at hand is.
  enum class Phase : uint8_t { kReading, kHeld, kAsked, kWriting, kIdle };

  void Beat() PANDO_REQUIRES(mutex_);
  void EndWith(grpc::Status status) PANDO_REQUIRES(mutex_);
  // Ends the call if that is due and nothing is being written; otherwise goes on.
  void Proceed() PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;

  base::Mutex mutex_;
  v1::KeepAliveRequest request_;    // gRPC's while kReading
  v1::KeepAliveResponse response_;  // gRPC's while kWriting
  Phase phase_ PANDO_GUARDED_BY(mutex_) = Phase::kIdle;
  bool waits_for_room_ PANDO_GUARDED_BY(mutex_) = false;
  model::SessionId session_ PANDO_GUARDED_BY(mutex_);  // of the first message
  base::Instant began_ PANDO_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<KeepAliveCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_KEEP_ALIVE_H_
