// Beat: keeps the session alive on one server, until that is of no more use. The session's thread's
// own.
#ifndef PANDO_CLIENTS_CPP_SRC_BEAT_H_
#define PANDO_CLIENTS_CPP_SRC_BEAT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "lease.h"
#include "loop.h"
#include "pando/v1/session.grpc.pb.h"
#include "stream.h"

namespace pando::client {

class Beat final {
 public:
  // `end`: the server is of no more use, or the session is over.
  Beat(const std::shared_ptr<grpc::Channel>& channel, Loop* loop, Lease* lease,
       absl::AnyInvocable<void(absl::Status)> end);

  void Cancel();

 private:
  // A beat is due; it leaves once the stream can take it.
  void Send();
  void Write();
  void Answered(const v1::KeepAliveResponse& response);

  Loop* const loop_;
  Lease* const lease_;
  absl::AnyInvocable<void(absl::Status)> end_;
  std::shared_ptr<Stream<grpc::ClientAsyncReaderWriter<v1::KeepAliveRequest, v1::KeepAliveResponse>,
                         v1::KeepAliveResponse>>
      stream_;
  Loop::Timer next_;  // the beat, or the end of the patience
  Loop::Clock::time_point sent_;
  std::optional<Loop::Clock::time_point> leader_lost_;
  bool due_ = false;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_BEAT_H_
