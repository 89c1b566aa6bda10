#include "pipeline.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pando::client {
namespace {

// The server cannot say now; it, or another, will.
bool GoesAgain(const absl::Status& error) {
  switch (ReasonOf(error)) {
    case Reason::kNoLeader:
    case Reason::kBehind:
    case Reason::kOverloaded:
    case Reason::kTimeout:
      return true;
    default:
      return false;
  }
}

}  // namespace

Pipeline::Pipeline(const std::shared_ptr<grpc::Channel>& channel, Loop* loop, Lease* lease,
                   Backlog* backlog, Handlers handlers)
    : lease_(lease), backlog_(backlog), handlers_(std::move(handlers)) {
  using Call = grpc::ClientAsyncReaderWriter<v1::PipelineRequest, v1::PipelineResponse>;
  using PipelineStream = Stream<Call, v1::PipelineResponse>;
  stream_ = std::make_shared<PipelineStream>(
      loop, PipelineStream::Handlers{
                .message = [this](v1::PipelineResponse response) { Receive(std::move(response)); },
                .end = [this](absl::Status why) { handlers_.end(std::move(why)); },
                .writable = [this] { Send(); }});
  lease_->Sign(stream_->context());
  stream_->Start(
      v1::TreeService::Stub(channel).PrepareAsyncPipeline(stream_->context(), loop->queue()));
}

void Pipeline::Serve() {
  serving_ = true;
  Send();
}

void Pipeline::Send() {
  if (!stream_->is_writable()) return;
  v1::PipelineRequest request;
  if (!std::exchange(greeted_, true)) {
    *request.mutable_header() = lease_->Header();
    stream_->Write(request);
    return;
  }
  if (!serving_) return;
  const Backlog::Operations operations = backlog_->Take();
  if (operations.empty()) return;
  *request.mutable_header() = lease_->Header();
  request.mutable_header()->set_first_outstanding_request_id(backlog_->first_outstanding());
  if (operations.front()->linearizable) {
    request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  }
  // Lent: a write serialises at once, and an operation may have to go again.
  for (const auto& operation : operations) {
    request.mutable_operations()->UnsafeArenaAddAllocated(&operation->message);
  }
  stream_->Write(request);
  while (request.operations_size() > 0) request.mutable_operations()->UnsafeArenaReleaseLast();
}

void Pipeline::Receive(v1::PipelineResponse response) {
  if (std::exchange(attached_, true)) {
    handlers_.response(std::move(response));
  } else {
    lease_->Heard(response.header());
    handlers_.attached();
  }
}

absl::Status Pipeline::Answer(v1::PipelineResponse response) {
  lease_->Heard(response.header());
  absl::Status again;
  for (v1::PipelineResult& result : *response.mutable_results()) {
    const std::shared_ptr<Operation> operation = backlog_->Answered(result.request_id());
    if (operation == nullptr) {
      return NoServer(absl::StrCat("answer ", result.request_id(), " is out of order"));
    }
    if (!result.has_error()) {
      v1::ResponseHeader header = response.header();
      header.set_revision(result.revision());
      operation->Finish(&result, header);
      continue;
    }
    const absl::Status error = OperationFailure(result.error());
    if (GoesAgain(error)) {
      backlog_->Keep(operation);
      again = error;
    } else {
      operation->Refuse(error);
    }
  }
  return again;
}

void Pipeline::Cancel() {
  serving_ = false;
  stream_->Cancel();
}

}  // namespace pando::client
