#include "api/wait_call.h"

#include <algorithm>
#include <utility>

#include "acl/permission.h"
#include "acl/scheme.h"
#include "api/errors.h"
#include "base/check.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;

// Of a place: whoever took it may do everything with it, and everybody may see it. Of a caller that
// has not said who it is, the place is open like any other node.
model::Acl AclOfPlace(const std::vector<model::Identity>& identities) {
  const bool somebody =
      std::any_of(identities.begin(), identities.end(), [](const model::Identity& identity) {
        return identity.scheme == acl::kDigestScheme || identity.scheme == acl::kX509Scheme;
      });
  if (!somebody) return {};
  return {{model::kAllPermissions, {acl::kAuthScheme, ""}}, {model::kRead, acl::kAnyone}};
}

}  // namespace

// The Outbox of one watch: its first event ends it.
class WaitCall::Tripwire : public io::Stream,
                           public Writer,
                           public std::enable_shared_from_this<Tripwire> {
 public:
  Tripwire(std::weak_ptr<WaitCall> call, EgressThread* egress, model::StreamId stream)
      : call_(std::move(call)), egress_(egress), stream_(stream) {}

  bool TryWrite(model::StreamBatch batch) override {
    if (!batch.selected.empty()) Trip({});
    return true;
  }
  bool TryWriteInitial(model::Revision, model::WalkResult) override { return true; }
  void WriteInitialDone(model::Revision, model::WalkResult) override {}
  void End(Error error) override {
    // What was compacted meanwhile is found by looking again.
    Trip(error.reason == Reason::kCompacted ? Error() : std::move(error));
  }
  // The core thread calls the above, and has no time for more.
  void Pump() override {
    Error error;
    {
      base::MutexLock lock(&mutex_);
      error = *tripped_;
    }
    if (const auto call = call_.lock()) call->OnTripped(stream_, error);
  }

 private:
  void Trip(Error error) {
    {
      base::MutexLock lock(&mutex_);
      if (tripped_) return;
      tripped_ = std::move(error);
    }
    egress_->Schedule(shared_from_this());
  }

  const std::weak_ptr<WaitCall> call_;
  EgressThread* const egress_;
  const model::StreamId stream_;
  base::Mutex mutex_;
  std::optional<Error> tripped_ PANDO_GUARDED_BY(mutex_);
};

grpc::ServerUnaryReactor* WaitCall::Start(const Call& call, const v1::RequestHeader& header,
                                          const std::string& name, const std::string& data,
                                          std::optional<int64_t> wait_timeout_ms,
                                          WriteResponse write) {
  const auto self = std::make_shared<WaitCall>(call, std::move(write));
  self->self_ = self;
  {
    base::MutexLock lock(&self->mutex_);
    Error error = call.Admit(header, &self->caller_);
    if (error.ok() && !self->caller_.header.session) {
      error = InvalidArgument("the header names no session");
    }
    if (error.ok()) error = CheckPath(name);
    if (error.ok() && wait_timeout_ms && *wait_timeout_ms < 0) {
      error = InvalidArgument("wait_timeout_ms is negative");
    }
    if (error.ok() && data.size() > call.edge()->options().value_bytes_max) {
      error = {.reason = Reason::kTooLarge, .path = name, .detail = "the data is too large"};
    }
    if (!error.ok()) {
      self->End(error);
      return self.get();
    }
    // A repeat has to keep the place anew, and not to get the first answer.
    self->caller_.header.request = {};
    self->waiter_.emplace(name, self->caller_.header.session, data,
                          AclOfPlace(self->caller_.identities));
    if (wait_timeout_ms == 0) self->waiter_->Hurry();
    self->SetAlarm(wait_timeout_ms);
    self->Do(self->waiter_->Start());
  }
  call.edge()->AddStream(self);
  return self.get();
}

// In milliseconds, of which more fit than of a Duration's units.
base::Instant EndOfWait(base::Instant now, std::chrono::milliseconds wait) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(base::kNever - now);
  return wait < left ? now + wait : base::kNever;
}

WaitCall::WaitCall(const Call& call, WriteResponse write) : call_(call), write_(std::move(write)) {}

void WaitCall::SetAlarm(std::optional<int64_t> wait_timeout_ms) {
  const base::Instant now = call_.edge()->options().now();
  base::Instant due = call_.Deadline();
  if (wait_timeout_ms) {
    due = std::min(due, EndOfWait(now, std::chrono::milliseconds(*wait_timeout_ms)));
  }
  if (due == base::kNever) return;
  const auto wait = std::chrono::duration_cast<std::chrono::system_clock::duration>(due - now);
  alarm_.Set(std::chrono::system_clock::now() + wait, [self = shared_from_this()](bool rang) {
    if (rang) self->OnTimeout();
  });
}

// --- What comes in ----------------------------------------------------------------------------

void WaitCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  const model::Reply& reply = completions.front().reply;
  revision_ = std::max(revision_, reply.revision);
  Do(waiter_->OnReply(reply));
}

void WaitCall::OnTripped(model::StreamId stream, const Error& error) {
  base::MutexLock lock(&mutex_);
  if (finished_ || stream != stream_) return;
  Unwatch();
  if (!error.ok()) return End(error);
  Do(waiter_->OnGone());
}

void WaitCall::OnTimeout() {
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  waiter_->Hurry();
  if (!stream_) return;  // a reply is on its way
  Unwatch();
  Do(waiter_->OnGone());
}

void WaitCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  call_.Cancelled();
  FinishWith(grpc::Status::CANCELLED);
}

void WaitCall::GoAway() {
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  call_.Ended({});
  FinishWith(GoingAway());
}

void WaitCall::OnDone() {
  call_.edge()->RemoveStream(this);
  self_.reset();
}

// --- What goes out ----------------------------------------------------------------------------

void WaitCall::Do(recipe::Waiter::Step step) {
  if (auto* write = std::get_if<recipe::Waiter::Write>(&step)) {
    Post(MakeCommand(*call_.edge(), caller_, base::kNever, std::move(write->transaction)));
  } else if (auto* read = std::get_if<recipe::Waiter::Read>(&step)) {
    Post({.body = model::Query{{acl::kSuper}, {}, std::move(read->list)}});
  } else if (auto* watch = std::get_if<recipe::Waiter::Watch>(&step)) {
    Watch(std::move(*watch));
  } else {
    const auto& done = std::get<recipe::Waiter::Done>(step);
    if (done.error.ok()) write_(revision_, done.place);
    End(done.error);
  }
}

void WaitCall::Post(io::Request request) {
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(std::move(request));
  batch.bytes = call_.request()->ByteSizeLong();
  if (!call_.edge()->inbox()->TryPost(std::move(batch))) End({.reason = Reason::kOverloaded});
}

void WaitCall::Watch(recipe::Waiter::Watch watch) {
  stream_ = model::StreamId(call_.edge()->NextId());
  io::WatchOpen open;
  open.stream = stream_;
  open.outbox = std::make_shared<Tripwire>(weak_from_this(), call_.edge()->egress(), stream_);
  open.identities = {acl::kSuper};
  open.targets = std::move(watch.targets);
  open.start_revision = watch.from;
  call_.edge()->inbox()->Post(std::move(open));
}

void WaitCall::Unwatch() {
  if (stream_) call_.edge()->inbox()->Post(io::WatchClose{stream_});
  stream_ = {};
}

void WaitCall::End(const Error& error) {
  call_.Ended(error);
  FinishWith(error.ok() ? grpc::Status::OK : ToStatus(error));
}

void WaitCall::FinishWith(const grpc::Status& status) {
  CHECK(!finished_);
  finished_ = true;
  Unwatch();
  alarm_.Cancel();
  Finish(status);
}

}  // namespace pando::api
