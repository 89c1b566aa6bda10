// Operation: one request on its way through Pipelines, until it is answered. Made by the caller's
// thread, and from then on the session's thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_OPERATION_H_
#define PANDO_CLIENTS_CPP_SRC_OPERATION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "errors.h"
#include "loop.h"
#include "pando/v1/tree.pb.h"

namespace pando::client {

struct Operation {
  // What came, to be moved out, and the header that a response outside a Pipeline would have.
  using Done =
      absl::AnyInvocable<void(absl::StatusOr<v1::PipelineResult*>, const v1::ResponseHeader&)>;

  v1::PipelineOperation message;
  bool is_write = false;
  bool linearizable = false;
  std::chrono::milliseconds timeout{0};
  Done done;

  // The session's.
  bool sent = false;   // a server may have it
  bool ended = false;  // nobody waits for it
  Loop::Timer deadline;

  int64_t request_id() const { return message.request_id(); }

  void Finish(v1::PipelineResult* result, const v1::ResponseHeader& header) {
    if (Ends()) done(result, header);
  }
  // A server has refused it.
  void Refuse(const absl::Status& error) {
    if (Ends()) done(error, v1::ResponseHeader());
  }
  // It was not answered.
  void Abandon(const absl::Status& error) {
    Refuse(is_write && sent ? WithMaybeApplied(error) : error);
  }

 private:
  // True the first time.
  bool Ends() {
    deadline.Cancel();
    return !std::exchange(ended, true);
  }
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_OPERATION_H_
