// ObserveCall: one Observe stream: who leads, and every change of it.
//
// A watch of the election says that something has changed; then all candidates are listed again,
// and the client is told if the head is another than it was told last. Changes that come while the
// list is read or the client is written to are taken together. Thread-safe; as for Pipeline, gRPC
// is called under the lock.
#ifndef PANDO_API_OBSERVE_CALL_H_
#define PANDO_API_OBSERVE_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "io/client.h"
#include "pando/v1/election.pb.h"
#include "recipe/queue.h"

namespace pando::api {

void ToProto(const recipe::Place& in, v1::ElectionLeader* out);

class ObserveCall : public grpc::ServerWriteReactor<v1::ObserveResponse>,
                    public io::ReplySink,
                    public io::Stream,
                    public Writer,
                    public OpenStream,
                    public std::enable_shared_from_this<ObserveCall> {
 public:
  static ObserveCall* Start(Edge* edge, const grpc::CallbackServerContext& context,
                            const v1::ObserveRequest& request);

  ObserveCall(const Call& call, const std::string& name);

  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  bool TryWrite(model::StreamBatch batch) override PANDO_EXCLUDES(mutex_);
  bool TryWriteInitial(model::Revision, model::WalkResult) override { return true; }
  void WriteInitialDone(model::Revision, model::WalkResult) override {}
  void End(model::Error error) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);
  void GoAway() override PANDO_EXCLUDES(mutex_);

 private:
  void EndWith(grpc::Status status, const model::Error& error = {}) PANDO_REQUIRES(mutex_);
  void Proceed() PANDO_REQUIRES(mutex_);
  void PostPage() PANDO_REQUIRES(mutex_);
  void Tell(model::Revision revision, const recipe::Place* leader) PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;
  const std::string name_;
  const model::StreamId stream_;

  base::Mutex mutex_;
  Caller caller_ PANDO_GUARDED_BY(mutex_);
  std::optional<recipe::Listing> listing_ PANDO_GUARDED_BY(mutex_);  // while it is read
  bool changed_ PANDO_GUARDED_BY(mutex_) = true;                     // since it was begun
  std::optional<v1::ObserveResponse> told_ PANDO_GUARDED_BY(mutex_);
  v1::ObserveResponse message_;  // gRPC's while writing_
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool posted_ PANDO_GUARDED_BY(mutex_) = false;  // the core knows the stream
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<ObserveCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_OBSERVE_CALL_H_
