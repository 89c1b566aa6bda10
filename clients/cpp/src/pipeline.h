// Pipeline: the stream that a session's calls travel on, to one server. What gathers while a
// message is being written, or while enough of them are unanswered, makes the next one: so it
// batches.
//
// The session's thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_PIPELINE_H_
#define PANDO_CLIENTS_CPP_SRC_PIPELINE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "backlog.h"
#include "lease.h"
#include "loop.h"
#include "pando/v1/tree.grpc.pb.h"
#include "stream.h"

namespace pando::client {

class Pipeline final {
 public:
  struct Handlers {
    // The session is here: nothing that it sent elsewhere can take effect any more.
    absl::AnyInvocable<void()> attached;
    // To be answered with Answer, once all was told that comes before it.
    absl::AnyInvocable<void(v1::PipelineResponse)> response;
    absl::AnyInvocable<void(absl::Status)> end;
  };

  // Opens it, and attaches the session to it.
  Pipeline(const std::shared_ptr<grpc::Channel>& channel, Loop* loop, Lease* lease,
           Backlog* backlog, Handlers handlers);

  // From now on what is asked goes over it.
  void Serve();
  // Something may wait in the backlog.
  void Send();
  // Gives the results to their callers. Not OK: the server cannot answer now, or makes no sense.
  absl::Status Answer(v1::PipelineResponse response);
  void Cancel();

 private:
  void Receive(v1::PipelineResponse response);

  Lease* const lease_;
  Backlog* const backlog_;
  Handlers handlers_;
  std::shared_ptr<Stream<grpc::ClientAsyncReaderWriter<v1::PipelineRequest, v1::PipelineResponse>,
                         v1::PipelineResponse>>
      stream_;
  bool greeted_ = false;   // the first message is sent
  bool attached_ = false;  // and answered
  bool serving_ = false;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_PIPELINE_H_
