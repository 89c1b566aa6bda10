#include "api/unary.h"

#include "api/errors.h"
#include "base/check.h"

namespace pando::api {

UnaryCall::UnaryCall(const Call& call, WriteResponse write, Reading read)
    : call_(call), write_(std::move(write)), read_(std::move(read)) {}

grpc::ServerUnaryReactor* UnaryCall::Post(const Call& call, io::Request request,
                                          WriteResponse write, Reading read) {
  const auto unary = std::make_shared<UnaryCall>(call, std::move(write), std::move(read));
  unary->self_ = unary;
  io::RequestBatch batch;
  batch.sink = unary;
  batch.requests.push_back(std::move(request));
  batch.bytes = call.request()->ByteSizeLong();
  if (!call.edge()->inbox()->TryPost(std::move(batch), nullptr, io::Inbox::By::kCaller)) {
    unary->Refuse({.reason = model::Reason::kOverloaded,
                   .detail = "the server has too many requests waiting"});
  }
  call.edge()->inbox()->Lend();
  return unary.get();
}

grpc::ServerUnaryReactor* UnaryCall::Fail(const Call& call, const model::Error& error) {
  const auto unary = std::make_shared<UnaryCall>(call, nullptr, nullptr);
  unary->self_ = unary;
  unary->Refuse(error);
  return unary.get();
}

void UnaryCall::Refuse(const model::Error& error) {
  if (finished_.exchange(true)) return;
  call_.Ended(error);
  Finish(ToStatus(error));
}

void UnaryCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  if (finished_.exchange(true)) return;
  io::Completion& completion = completions.front();
  if (read_) read_(&completion.reply);
  if (completion.reply.ok()) write_(completion);
  call_.Ended(completion.reply.error);
  Finish(ToStatus(completion.reply));
}

// The caller does not wait any longer, or the server stops. What was posted takes its course.
void UnaryCall::OnCancel() {
  if (finished_.exchange(true)) return;
  call_.Cancelled();
  Finish(grpc::Status::CANCELLED);
}

void UnaryCall::OnDone() { self_.reset(); }

}  // namespace pando::api
