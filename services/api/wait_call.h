// WaitCall: a call that waits on the server until its session is at the head of a queue
// (recipe/waiter.h): Lock and Campaign.
//
// It posts one request at a time to the Inbox, and watches in between. A client that goes away
// keeps its place, since it may be waiting on another server already; one that has waited as long
// as it wanted to gives it up. Thread-safe; as for Pipeline, gRPC is called under the lock.
#ifndef PANDO_API_WAIT_CALL_H_
#define PANDO_API_WAIT_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "base/time.h"
#include "io/client.h"
#include "recipe/waiter.h"

namespace pando::api {

class WaitCall : public grpc::ServerUnaryReactor,
                 public io::ReplySink,
                 public OpenStream,
                 public std::enable_shared_from_this<WaitCall> {
 public:
  using WriteResponse = std::function<void(model::Revision, const recipe::Place&)>;

  // Of a LockRequest or a CampaignRequest.
  template <class Request, class Response>
  static grpc::ServerUnaryReactor* Start(const Call& call, const Request& request,
                                         Response* response) {
    auto write = [edge = call.edge(), response](model::Revision revision,
                                                const recipe::Place& place) {
      edge->WriteHeader(revision, {}, response->mutable_header());
      response->set_ownership_path(place.path);
      response->set_fencing_token(static_cast<int64_t>(place.token.value()));
    };
    return Start(
        call, request.header(), request.name(), request.data(),
        request.has_wait_timeout_ms() ? std::optional(request.wait_timeout_ms()) : std::nullopt,
        std::move(write));
  }

  WaitCall(const Call& call, WriteResponse write);

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;
  void GoAway() override PANDO_EXCLUDES(mutex_);

 private:
  class Tripwire;

  static grpc::ServerUnaryReactor* Start(const Call& call, const v1::RequestHeader& header,
                                         const std::string& name, const std::string& data,
                                         std::optional<int64_t> wait_timeout_ms,
                                         WriteResponse write);

  void OnTripped(model::StreamId stream, const model::Error& error) PANDO_EXCLUDES(mutex_);
  void OnTimeout() PANDO_EXCLUDES(mutex_);
  void SetAlarm(std::optional<int64_t> wait_timeout_ms) PANDO_REQUIRES(mutex_);
  void Do(recipe::Waiter::Step step) PANDO_REQUIRES(mutex_);
  void Post(io::Request request) PANDO_REQUIRES(mutex_);
  void Watch(recipe::Waiter::Watch watch) PANDO_REQUIRES(mutex_);
  void Unwatch() PANDO_REQUIRES(mutex_);
  void End(const model::Error& error) PANDO_REQUIRES(mutex_);
  void FinishWith(const grpc::Status& status) PANDO_REQUIRES(mutex_);

  const Call call_;
  const WriteResponse write_;

  base::Mutex mutex_;
  Caller caller_ PANDO_GUARDED_BY(mutex_);
  std::optional<recipe::Waiter> waiter_ PANDO_GUARDED_BY(mutex_);  // once it may wait
  model::StreamId stream_ PANDO_GUARDED_BY(mutex_);                // of the watch; none: no watch
  model::Revision revision_ PANDO_GUARDED_BY(mutex_);              // of the last reply
  grpc::Alarm alarm_;
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<WaitCall> self_;  // until OnDone
};

// When a wait that begins now is over; kNever if that is too far off to be told.
base::Instant EndOfWait(base::Instant now, std::chrono::milliseconds wait);

}  // namespace pando::api

#endif  // PANDO_API_WAIT_CALL_H_
