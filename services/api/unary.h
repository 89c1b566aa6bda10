// UnaryCall: one call with one answer: a request to the Inbox, a completion back.
#ifndef PANDO_API_UNARY_H_
#define PANDO_API_UNARY_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "api/call.h"
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

  // Changes what the reply means to this call, before anything is made of it; may be null.
  using Reading = std::function<void(model::Reply*)>;

  static grpc::ServerUnaryReactor* Post(const Call& call, io::Request request, WriteResponse write,
                                        Reading read = nullptr);
  static grpc::ServerUnaryReactor* Fail(const Call& call, const model::Error& error);

  UnaryCall(const Call& call, WriteResponse write, Reading read);

  void Deliver(std::vector<io::Completion> completions) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void Refuse(const model::Error& error);

  const Call call_;
  const WriteResponse write_;
  const Reading read_;
  std::atomic<bool> finished_{false};
  std::shared_ptr<UnaryCall> self_;  // until OnDone
};

// What UnaryCall does with a reply: `write(reply, out)` fills in all but the header.
template <class Out, class Write>
UnaryCall::WriteResponse Responding(Edge* edge, Out* out, Write write) {
  return [edge, out, write = std::move(write)](const io::Completion& completion) {
    edge->WriteHeader(completion.reply.revision, completion.stream_revision, out->mutable_header());
    write(completion.reply, out);
  };
}

// A write: `in` is translated into a Body.
template <class Body, class In, class Out, class Write>
grpc::ServerUnaryReactor* StartCommand(const Call& call, const In& in, Out* out, Write write) {
  Edge* edge = call.edge();
  Caller caller;
  Body body;
  model::Error error = call.Admit(in.header(), &caller);
  if (error.ok()) error = FromProto(in, edge->options().value_bytes_max, &body);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  return UnaryCall::Post(call, MakeCommand(*edge, caller, call.Deadline(), std::move(body)),
                         Responding(edge, out, std::move(write)));
}

// The same for a read.
template <class Body, class In, class Out, class Write>
grpc::ServerUnaryReactor* StartQuery(const Call& call, const In& in, Out* out, Write write) {
  Caller caller;
  Body body;
  model::Error error = call.Admit(in.header(), &caller);
  if (error.ok()) error = FromProto(in, &body);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  if constexpr (std::is_same_v<Body, model::Touch>) {
    caller.header.consistency = io::Consistency::kLinearizable;  // what a Sync is
  }
  return UnaryCall::Post(call, MakeQuery(caller, call.Deadline(), std::move(body)),
                         Responding(call.edge(), out, std::move(write)));
}

}  // namespace pando::api

#endif  // PANDO_API_UNARY_H_
