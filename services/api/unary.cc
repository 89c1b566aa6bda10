#include "api/unary.h"

#include "api/errors.h"
#include "base/check.h"

namespace pando::api {

UnaryCall::UnaryCall(Edge* edge, std::string_view method, WriteResponse write)
    : edge_(edge), method_(method), began_(edge->options().now()), write_(std::move(write)) {}

grpc::ServerUnaryReactor* UnaryCall::Post(Edge* edge, std::string_view method, io::Request request,
                                          size_t bytes, WriteResponse write) {
  const auto call = std::make_shared<UnaryCall>(edge, method, std::move(write));
  call->self_ = call;
  io::RequestBatch batch;
  batch.sink = call;
  batch.requests.push_back(std::move(request));
  batch.bytes = bytes;
  if (!edge->inbox()->TryPost(std::move(batch))) {
    const model::Error error{.reason = model::Reason::kOverloaded,
                             .detail = "the server has too many requests waiting"};
    call->End(ToStatus(error), model::ReasonName(error.reason));
  }
  return call.get();
}

grpc::ServerUnaryReactor* UnaryCall::Fail(Edge* edge, std::string_view method,
                                          const model::Error& error) {
  const auto call = std::make_shared<UnaryCall>(edge, method, nullptr);
  call->self_ = call;
  call->End(ToStatus(error), model::ReasonName(error.reason));
  return call.get();
}

void UnaryCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  if (finished_.exchange(true)) return;
  const io::Completion& completion = completions.front();
  if (completion.reply.ok()) write_(completion);
  edge_->CountRequest(method_, began_, model::ReasonName(completion.reply.error.reason));
  Finish(ToStatus(completion.reply));
}

// The caller does not wait any longer, or the server stops. What was posted takes its course.
void UnaryCall::OnCancel() { End(grpc::Status::CANCELLED, "CANCELLED"); }

void UnaryCall::End(const grpc::Status& status, const char* reason) {
  if (finished_.exchange(true)) return;
  edge_->CountRequest(method_, began_, reason);
  Finish(status);
}

void UnaryCall::OnDone() { self_.reset(); }

}  // namespace pando::api
