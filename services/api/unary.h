// UnaryCall: one call with one answer: a request to the Inbox, a completion back.
#ifndef PANDO_API_UNARY_H_
#define PANDO_API_UNARY_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "api/edge.h"
#include "api/translate.h"
#include "io/client.h"

namespace pando::api {

// Owned by gRPC from Start to OnDone, and by the core as long as it owes the answer; whoever comes
// first of the answer and the call's cancellation finishes the call.
class UnaryCall : public grpc::ServerUnaryReactor, public io::ReplySink {
 public:
  // Fills in the response. Runs on the egress thread, for a reply that is ok.
  using WriteResponse = std::function<void(const io::Completion&)>;

  static grpc::ServerUnaryReactor* Post(Edge* edge, std::string_view method, io::Request request,
                                        size_t bytes, WriteResponse write);
  static grpc::ServerUnaryReactor* Fail(Edge* edge, std::string_view method,
                                        const model::Error& error);

  UnaryCall(Edge* edge, std::string_view method, WriteResponse write);

  void Deliver(std::vector<io::Completion> completions) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void End(const grpc::Status& status, const char* reason);

  Edge* const edge_;
  const std::string_view method_;  // a constant
  const base::Instant began_;
  const WriteResponse write_;
  std::atomic<bool> finished_{false};
  std::shared_ptr<UnaryCall> self_;  // until OnDone
};

// A write: `in` is translated into a Body. `write(reply, out)` fills in all but the header.
template <class Body, class In, class Out, class Write>
grpc::ServerUnaryReactor* StartCommand(Edge* edge, const grpc::CallbackServerContext& context,
                                       std::string_view method, const In& in, Out* out,
                                       Write write) {
  Caller caller;
  Body body;
  model::Error error = CallerOf(*edge, context, in.header(), &caller);
  if (error.ok()) error = FromProto(in, edge->options().value_bytes_max, &body);
  if (!error.ok()) return UnaryCall::Fail(edge, method, error);
  return UnaryCall::Post(
      edge, method, MakeCommand(*edge, caller, DeadlineOf(*edge, context), std::move(body)),
      in.ByteSizeLong(), [edge, out, write = std::move(write)](const io::Completion& completion) {
        edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                          out->mutable_header());
        write(completion.reply, out);
      });
}

// The same for a read.
template <class Body, class In, class Out, class Write>
grpc::ServerUnaryReactor* StartQuery(Edge* edge, const grpc::CallbackServerContext& context,
                                     std::string_view method, const In& in, Out* out, Write write) {
  Caller caller;
  Body body;
  model::Error error = CallerOf(*edge, context, in.header(), &caller);
  if (error.ok()) error = FromProto(in, &body);
  if (!error.ok()) return UnaryCall::Fail(edge, method, error);
  if constexpr (std::is_same_v<Body, model::Touch>) {
    caller.header.consistency = io::Consistency::kLinearizable;  // what a Sync is
  }
  return UnaryCall::Post(
      edge, method, MakeQuery(caller, DeadlineOf(*edge, context), std::move(body)),
      in.ByteSizeLong(), [edge, out, write = std::move(write)](const io::Completion& completion) {
        edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                          out->mutable_header());
        write(completion.reply, out);
      });
}

}  // namespace pando::api

#endif  // PANDO_API_UNARY_H_
