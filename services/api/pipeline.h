// PipelineCall: one Pipeline stream. It is a lane: the core answers its operations in order.
//
//   message ──► held ──► Inbox ──► operations_ (in flight) ──► responses_ ──► client
//                  └─ until the Inbox and the lane have room; nothing is read meanwhile
//
// With a session it first attaches the session to itself, and every command carries the attachment.
// A message is translated again if the Inbox was full: what is posted cannot be had back, and a
// copy of each message would cost more than the rare second translation.
//
// Thread-safe: reactions come on gRPC's threads, Deliver and Pump from egress. gRPC starts
// no reaction from inside StartRead, StartWrite or Finish, so they are called under the lock, which
// keeps them in order.
#ifndef PANDO_API_PIPELINE_H_
#define PANDO_API_PIPELINE_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "io/inbox.h"
#include "pando/v1/tree.pb.h"

namespace pando::api {

class PipelineCall : public grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>,
                     public io::ReplySink,
                     public Writer,
                     public OpenStream,
                     public std::enable_shared_from_this<PipelineCall> {
 public:
  static PipelineCall* Start(Edge* edge, grpc::CallbackServerContext* context);

  explicit PipelineCall(const Call& call);

  void OnReadDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);  // the Inbox has room
  void GoAway() override PANDO_EXCLUDES(mutex_);

 private:
  enum class Phase : uint8_t { kFirst, kAttaching, kOpen };
  struct Operation {
    PipelineShape shape;
    base::Instant began;
    std::optional<model::Error> refused;  // here; the core has not seen it
  };
  struct Response {
    v1::PipelineResponse message;
    size_t bytes = 0;
  };

  // Starts whatever can be started now.
  void Proceed(io::Inbox::By by = io::Inbox::By::kCore) PANDO_REQUIRES(mutex_);
  void ReadOn() PANDO_REQUIRES(mutex_);
  void EndWith(grpc::Status status) PANDO_REQUIRES(mutex_);
  // Posts what is held if there is room for it, and takes it apart if it is not posted yet.
  void TakeHeld(io::Inbox::By by) PANDO_REQUIRES(mutex_);
  model::Error CheckHeader() PANDO_REQUIRES(mutex_);
  void Attach(io::Inbox::By by) PANDO_REQUIRES(mutex_);
  void OnAttached(const io::Completion& completion) PANDO_REQUIRES(mutex_);
  io::Request MakeRequest(std::variant<model::CommandBody, model::QueryBody> body, bool sync)
      PANDO_REQUIRES(mutex_);
  bool Post(io::RequestBatch batch, io::Inbox::By by) PANDO_REQUIRES(mutex_);
  void AnswerRefused() PANDO_REQUIRES(mutex_);
  void Answer(const Operation& operation, const io::Completion& completion) PANDO_REQUIRES(mutex_);
  v1::PipelineResponse* ResponseFor(size_t bytes) PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;
  const model::LaneId lane_;

  base::Mutex mutex_;
  v1::PipelineRequest message_;  // gRPC's while reading_, ours while held_
  Phase phase_ PANDO_GUARDED_BY(mutex_) = Phase::kFirst;
  Caller caller_ PANDO_GUARDED_BY(mutex_);  // of the first header; the rest as of the last
  uint64_t first_cluster_ PANDO_GUARDED_BY(mutex_) = 0;
  model::Attachment attachment_ PANDO_GUARDED_BY(mutex_);
  bool reading_ PANDO_GUARDED_BY(mutex_) = false;
  bool held_ PANDO_GUARDED_BY(mutex_) = false;
  bool waits_for_room_ PANDO_GUARDED_BY(mutex_) = false;
  bool half_closed_ PANDO_GUARDED_BY(mutex_) = false;
  bool going_away_ PANDO_GUARDED_BY(mutex_) = false;
  std::deque<Operation> operations_ PANDO_GUARDED_BY(mutex_);
  model::Revision last_revision_ PANDO_GUARDED_BY(mutex_);

  std::deque<Response> responses_ PANDO_GUARDED_BY(mutex_);  // the first is gRPC's while writing_
  size_t response_bytes_ PANDO_GUARDED_BY(mutex_) = 0;
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool broken_ PANDO_GUARDED_BY(mutex_) = false;              // nothing can be written any more
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);  // after responses_
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<PipelineCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_PIPELINE_H_
