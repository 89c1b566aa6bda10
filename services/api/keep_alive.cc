#include "api/keep_alive.h"

#include <utility>

#include "api/errors.h"
#include "base/check.h"

namespace pando::api {
namespace {

using model::Reason;

// Whether the session may well be alive, and only nobody can say it now.
bool IsUnknown(Reason reason) {
  switch (reason) {
    case Reason::kNoLeader:
    case Reason::kBehind:
    case Reason::kTimeout:
    case Reason::kOverloaded:
    case Reason::kNoSpace:
      return true;
    default:
      return false;
  }
}

}  // namespace

KeepAliveCall* KeepAliveCall::Start(Edge* edge, grpc::CallbackServerContext* context) {
  const auto call = std::make_shared<KeepAliveCall>(
      Call(edge, MethodOf("SessionService/KeepAlive"), *context, nullptr));
  call->self_ = call;
  {
    base::MutexLock lock(&call->mutex_);
    call->Proceed();
  }
  edge->AddStream(call);
  return call.get();
}

void KeepAliveCall::OnReadDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(phase_ == Phase::kReading);
  phase_ = Phase::kIdle;
  if (ok && !end_) {
    phase_ = Phase::kHeld;
    began_ = edge_->options().now();
    Beat();
  } else if (!ok) {
    EndWith(grpc::Status::OK);
  }
  Proceed();
}

void KeepAliveCall::Beat() {
  if (waits_for_room_) return;
  Caller caller;
  model::Error error = call_.Admit(request_.header(), &caller);
  if (error.ok() && !caller.header.session) error = InvalidArgument("the header names no session");
  if (error.ok() && session_ && session_ != caller.header.session) {
    error = InvalidArgument("the header names another session than the first one");
  }
  if (!error.ok()) return EndWith(ToStatus(error));
  session_ = caller.header.session;

  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(
      {.token_hash = std::move(caller.token_hash), .body = io::KeepAlive{session_}});
  const auto on_room = [edge = edge_, weak = weak_from_this()] {
    if (auto call = weak.lock()) edge->egress()->Schedule(std::move(call));
  };
  waits_for_room_ = !edge_->inbox()->TryPost(std::move(batch), on_room);
  if (!waits_for_room_) phase_ = Phase::kAsked;
}

void KeepAliveCall::Pump() {
  base::MutexLock lock(&mutex_);
  waits_for_room_ = false;
  if (phase_ == Phase::kHeld && !end_) Beat();
  Proceed();
}

void KeepAliveCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  const io::Completion& completion = completions.front();
  const Reason reason = completion.reply.error.reason;
  base::MutexLock lock(&mutex_);
  if (phase_ != Phase::kAsked) return;
  phase_ = Phase::kIdle;
  call_.Ended(began_, completion.reply.error);
  if (!end_) {
    response_.Clear();
    edge_->WriteHeader(completion.reply.revision, completion.stream_revision,
                       response_.mutable_header());
    if (const auto* result = std::get_if<model::SessionResult>(&completion.reply.result);
        completion.reply.ok() && result != nullptr) {
      response_.set_state(v1::SESSION_STATE_OK);
      response_.set_time_left_ms(result->time_left_ms);
      phase_ = Phase::kWriting;
    } else if (reason == Reason::kSessionExpired) {
      response_.set_state(v1::SESSION_STATE_EXPIRED);
      phase_ = Phase::kWriting;
      EndWith(grpc::Status::OK);
    } else if (IsUnknown(reason)) {
      response_.set_state(v1::SESSION_STATE_NO_LEADER);
      phase_ = Phase::kWriting;
    } else {
      CHECK(!completion.reply.ok());
      EndWith(ToStatus(completion.reply));
    }
    if (phase_ == Phase::kWriting) StartWrite(&response_);
  }
  Proceed();
}

void KeepAliveCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(phase_ == Phase::kWriting);
  phase_ = Phase::kIdle;
  if (!ok) EndWith(grpc::Status::CANCELLED);
  Proceed();
}

void KeepAliveCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  EndWith(grpc::Status::CANCELLED);
  Proceed();
}

void KeepAliveCall::GoAway() {
  base::MutexLock lock(&mutex_);
  EndWith(GoingAway());
  Proceed();
}

void KeepAliveCall::OnDone() {
  edge_->RemoveStream(this);
  self_.reset();
}

void KeepAliveCall::EndWith(grpc::Status status) {
  if (!end_) end_ = std::move(status);
}

void KeepAliveCall::Proceed() {
  if (finished_) return;
  if (end_) {
    if (phase_ == Phase::kWriting) return;
    finished_ = true;
    Finish(*end_);
    return;
  }
  if (phase_ == Phase::kIdle) {
    phase_ = Phase::kReading;
    StartRead(&request_);
  }
}

}  // namespace pando::api
