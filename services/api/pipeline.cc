#include "api/pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;

// Room in a message for its header, and for what one result takes besides its own bytes.
constexpr size_t kHeaderBytesMax = 256;
constexpr size_t kFramingBytesMax = 8;

// A client that does not read its answers is not read either.
constexpr size_t kUnreadBytesMax = model::kWatchMessageBytesMax;

}  // namespace

PipelineCall* PipelineCall::Start(Edge* edge, grpc::CallbackServerContext* context) {
  const auto call = std::make_shared<PipelineCall>(
      Call(edge, MethodOf("TreeService/Pipeline"), *context, nullptr));
  call->self_ = call;
  {
    base::MutexLock lock(&call->mutex_);
    call->Proceed();
  }
  edge->AddStream(call);
  return call.get();
}

PipelineCall::PipelineCall(const Call& call)
    : edge_(call.edge()), call_(call), lane_(edge_->NextId()) {}

// --- Reactions --------------------------------------------------------------------------------

void PipelineCall::OnReadDone(bool ok) {
  {
    base::MutexLock lock(&mutex_);
    CHECK(reading_);
    reading_ = false;
    held_ = ok;
    half_closed_ = !ok;
    Proceed(io::Inbox::By::kCaller);
  }
  // Before gRPC is asked for more, which makes it write to the client that there is room.
  edge_->inbox()->Lend();
  base::MutexLock lock(&mutex_);
  ReadOn();
}

void PipelineCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(writing_);
  writing_ = false;
  response_bytes_ -= responses_.front().bytes;
  responses_.pop_front();
  if (!ok) broken_ = true;
  Proceed();
}

void PipelineCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  broken_ = true;
  EndWith(grpc::Status::CANCELLED);
  Proceed();
}

void PipelineCall::GoAway() {
  base::MutexLock lock(&mutex_);
  going_away_ = true;
  Proceed();
}

void PipelineCall::OnDone() {
  edge_->RemoveStream(this);
  edge_->inbox()->Post(io::LaneClosed{lane_});
  self_.reset();
}

void PipelineCall::Pump() {
  base::MutexLock lock(&mutex_);
  waits_for_room_ = false;
  Proceed();
}

void PipelineCall::EndWith(grpc::Status status) {
  if (!end_) end_ = std::move(status);
}

// What is posted by the caller it also lends for, and reads on after that.
void PipelineCall::Proceed(io::Inbox::By by) {
  if (finished_) return;
  if (going_away_) held_ = false;  // nobody was promised that it is done
  if (held_ && !end_) TakeHeld(by);
  if (!end_ && operations_.empty() && !held_ && phase_ != Phase::kAttaching) {
    if (half_closed_) EndWith(grpc::Status::OK);
    if (going_away_) EndWith(GoingAway());
  }
  if (!writing_ && !broken_ && !responses_.empty()) {
    writing_ = true;
    StartWrite(&responses_.front().message);
  }
  if (broken_) EndWith(grpc::Status::CANCELLED);
  if (end_ && !writing_ && (responses_.empty() || broken_)) {
    finished_ = true;
    Finish(*end_);
    return;
  }
  if (by == io::Inbox::By::kCore) ReadOn();
}

void PipelineCall::ReadOn() {
  if (!end_ && !held_ && !reading_ && !half_closed_ && !going_away_ &&
      phase_ != Phase::kAttaching && response_bytes_ <= kUnreadBytesMax) {
    reading_ = true;
    StartRead(&message_);
  }
}

// --- Towards the core -------------------------------------------------------------------------

void PipelineCall::TakeHeld(io::Inbox::By by) {
  if (waits_for_room_ || phase_ == Phase::kAttaching) return;
  if (Error error = CheckHeader(); !error.ok()) return EndWith(ToStatus(error));
  if (phase_ == Phase::kFirst) {
    if (caller_.header.session) return Attach(by);
    phase_ = Phase::kOpen;
  }
  const auto count = static_cast<size_t>(message_.operations_size());
  if (operations_.size() + count > model::kLaneOutstandingMax) return;

  io::RequestBatch batch;
  batch.bytes = message_.ByteSizeLong();
  std::vector<Operation> operations(count);
  const base::Instant now = edge_->options().now();
  for (size_t i = 0; i < count; ++i) {
    const v1::PipelineOperation& in = message_.operations(static_cast<int>(i));
    std::variant<model::CommandBody, model::QueryBody> body;
    Error error = FromProto(in, edge_->options().value_bytes_max, &body);
    operations[i].shape = ShapeOf(in);
    operations[i].began = now;
    if (!error.ok()) {
      operations[i].refused = std::move(error);
      continue;
    }
    caller_.header.request = model::RequestId(static_cast<uint64_t>(in.request_id()));
    batch.requests.push_back(MakeRequest(std::move(body), in.has_sync()));
  }
  if (!batch.requests.empty() && !Post(std::move(batch), by)) return;
  held_ = false;
  std::move(operations.begin(), operations.end(), std::back_inserter(operations_));
  AnswerRefused();
}

// The header of the message at hand; into caller_ if it is good.
Error PipelineCall::CheckHeader() {
  const v1::RequestHeader& in = message_.header();
  if (static_cast<size_t>(message_.operations_size()) > model::kPipelineOperationsPerMessageMax ||
      message_.ByteSizeLong() > model::kCommandBytesMax) {
    return {.reason = Reason::kTooLarge,
            .detail = absl::StrCat("a message of a Pipeline has at most ",
                                   model::kPipelineOperationsPerMessageMax, " operations and ",
                                   model::kCommandBytesMax, " bytes")};
  }
  if (in.request_id() != 0) {
    return InvalidArgument("in a Pipeline each operation has its own request_id");
  }
  if (phase_ == Phase::kFirst) {
    caller_ = {};
    first_cluster_ = in.cluster_id();
    return call_.Admit(in, &caller_);
  }
  Header header;
  if (Error error = FromProto(in, edge_->options().cluster(), &header); !error.ok()) return error;
  if (in.cluster_id() != 0 && in.cluster_id() != first_cluster_) {
    return InvalidArgument("the header names a cluster, and the first one did not");
  }
  if (header.session && header.session != caller_.header.session) {
    return InvalidArgument("the header names another session than the first one");
  }
  header.session = caller_.header.session;
  caller_.header = header;
  return {};
}

void PipelineCall::Attach(io::Inbox::By by) {
  io::RequestBatch batch;
  batch.requests.push_back(
      MakeCommand(*edge_, caller_, base::kNever, model::AttachSession{caller_.header.session}));
  if (Post(std::move(batch), by)) phase_ = Phase::kAttaching;
}

io::Request PipelineCall::MakeRequest(std::variant<model::CommandBody, model::QueryBody> body,
                                      bool sync) {
  if (auto* query = std::get_if<model::QueryBody>(&body)) {
    io::Request request = MakeQuery(caller_, base::kNever, std::move(*query));
    if (sync) request.consistency = io::Consistency::kLinearizable;
    return request;
  }
  io::Request request =
      MakeCommand(*edge_, caller_, base::kNever, std::move(std::get<model::CommandBody>(body)));
  std::get<model::Command>(request.body).attachment = attachment_;
  return request;
}

bool PipelineCall::Post(io::RequestBatch batch, io::Inbox::By by) {
  batch.sink = shared_from_this();
  batch.lane = lane_;
  // In a turn of the core, which has no time to translate.
  const auto on_room = [edge = edge_, weak = weak_from_this()] {
    if (auto call = weak.lock()) edge->egress()->Schedule(std::move(call));
  };
  const bool posted = edge_->inbox()->TryPost(std::move(batch), on_room, by);
  waits_for_room_ = !posted;
  return posted;
}

// --- From the core ----------------------------------------------------------------------------

void PipelineCall::Deliver(std::vector<io::Completion> completions) {
  base::MutexLock lock(&mutex_);
  for (const io::Completion& completion : completions) {
    if (end_) break;
    if (phase_ == Phase::kAttaching) {
      OnAttached(completion);
      continue;
    }
    CHECK(!operations_.empty());
    const Operation operation = std::move(operations_.front());
    operations_.pop_front();
    CHECK(!operation.refused);
    Answer(operation, completion);
    AnswerRefused();
  }
  Proceed();
}

void PipelineCall::OnAttached(const io::Completion& completion) {
  const auto* result = std::get_if<model::SessionResult>(&completion.reply.result);
  if (!completion.reply.ok()) return EndWith(ToStatus(completion.reply));
  CHECK(result != nullptr);
  phase_ = Phase::kOpen;
  attachment_ = result->attachment;
  last_revision_ = completion.reply.revision;
  edge_->WriteHeader(completion.reply.revision, completion.stream_revision,
                     ResponseFor(0)->mutable_header());
}

// What this edge refused has its place in the order, too.
void PipelineCall::AnswerRefused() {
  while (!end_ && !operations_.empty() && operations_.front().refused) {
    const Operation operation = std::move(operations_.front());
    operations_.pop_front();
    io::Completion completion;
    completion.reply = model::Reply::Failure(*operation.refused);
    completion.reply.revision = last_revision_;
    Answer(operation, completion);
  }
}

void PipelineCall::Answer(const Operation& operation, const io::Completion& completion) {
  const Reason reason = completion.reply.error.reason;
  call_.Ended(operation.began, completion.reply.error);
  const bool session_over = reason == Reason::kSessionMoved || reason == Reason::kSessionExpired;
  if (caller_.header.session && session_over) return EndWith(ToStatus(completion.reply));

  last_revision_ = std::max(last_revision_, completion.reply.revision);
  v1::PipelineResult result;
  ToProto(completion.reply, operation.shape, &result);
  v1::PipelineResponse* response = ResponseFor(result.ByteSizeLong() + kFramingBytesMax);
  const model::Revision stream_revision(
      static_cast<uint64_t>(response->header().stream_revision()));
  edge_->WriteHeader(last_revision_, std::max(stream_revision, completion.stream_revision),
                     response->mutable_header());
  *response->add_results() = std::move(result);
}

// The message at the end of the queue if `bytes` more fit and gRPC does not have it yet.
v1::PipelineResponse* PipelineCall::ResponseFor(size_t bytes) {
  const bool none = responses_.size() == (writing_ ? 1u : 0u);
  // The first message of a session's Pipeline has no results.
  const bool closed = !none && responses_.back().message.results().empty();
  const bool full = !none && responses_.back().bytes + bytes > model::kWatchMessageBytesMax;
  if (none || closed || full) {
    responses_.emplace_back().bytes = kHeaderBytesMax;
    response_bytes_ += kHeaderBytesMax;
  }
  responses_.back().bytes += bytes;
  response_bytes_ += bytes;
  return &responses_.back().message;
}

}  // namespace pando::api
