#include "core.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "channel.h"
#include "errors.h"
#include "pando/v1/session.grpc.pb.h"
#include "tries.h"

namespace pando::client {
namespace {

using std::chrono::milliseconds;

// A link that lasted so long was of use.
constexpr milliseconds kLinkGood{1'000};
constexpr milliseconds kCloseTimeout{1'000};

}  // namespace

Core::Core(Options options)
    : options_(std::move(options)),
      watches_(
          [this] {
            if (link_ != nullptr) link_->Rewatch();
          },
          [this] {
            if (link_ != nullptr) link_->Release();
          }),
      endpoints_(options_.endpoints),
      lease_(&loop_, options_, [this] { Unheard(); }) {}

// --- For any thread ------------------------------------------------------------------------------

std::thread Core::Start(absl::AnyInvocable<void(absl::Status)> opened) {
  opened_ = std::move(opened);
  loop_.Post([this] {
    lease_.Renew(Loop::Clock::now(), options_.connect_timeout);
    Connect();
  });
  // It keeps what it runs, also when nobody waits for its end.
  return std::thread([self = shared_from_this()] {
    pthread_setname_np(pthread_self(), "pando-session");
    self->loop_.Run();
  });
}

void Core::Close(Loop::Task over) {
  loop_.Post([this, over = std::move(over)]() mutable {
    if (!end_.ok()) return over();
    over_.push_back(std::move(over));
    Leave();
  });
}

void Core::Submit(std::shared_ptr<Operation> operation) {
  loop_.Post([this, operation = std::move(operation)] { Take(operation); });
}

void Core::Run(std::shared_ptr<RepeatedCall> call) {
  loop_.Post([this, call = std::move(call)] {
    call->Begin(&loop_, [this, key = call.get()] {
      std::erase_if(calls_, [&](const auto& other) { return other.get() == key; });
    });
    calls_.insert(call);
    if (!end_.ok()) {
      call->End(end_);
    } else if (link_ != nullptr) {
      call->Linked(link_);
    }
  });
}

void Core::Unwatch(std::shared_ptr<Subscription> watch) {
  loop_.Post([this, watch = std::move(watch)] { watches_.Remove(watch); });
}

void Core::Resume(std::shared_ptr<Subscription> watch) {
  loop_.Post([this, watch = std::move(watch)] { watches_.Resume(watch); });
}

// --- The session's life --------------------------------------------------------------------------

void Core::Connect() {
  attempt_ = std::make_shared<Link>(
      OpenChannel(endpoints_.current(), options_), &loop_, &lease_, &backlog_, &watches_,
      Link::Handlers{.attached = [this] { Attached(); },
                     .ended = [this](const absl::Status& why) { Ended(why); }});
  silence_ = loop_.After(options_.attempt_timeout, [this] {
    attempt_->Fail(NoServer(absl::StrCat("took the connection, and did not answer within ",
                                         Text(options_.attempt_timeout))));
  });
  if (lease_.id() == 0) {
    OpenSession();
  } else {
    Attach();
  }
}

std::chrono::milliseconds Core::TimeoutOf(std::optional<std::chrono::milliseconds> said) const {
  return std::min(said.value_or(options_.operation_timeout), kTimeoutMax);
}

void Core::OpenSession() {
  v1::OpenRequest request;
  request.set_timeout_ms(options_.session_timeout.count());
  using OpenCall =
      internal::UnaryCallOf<v1::SessionService::Stub, v1::OpenRequest, v1::OpenResponse>;
  const auto call =
      std::make_shared<OpenCall>(&v1::SessionService::Stub::PrepareAsyncOpen, request);
  give_up_ = TryUnary(call, /*linearizable=*/false, attempt_.get(), std::nullopt,
                      [this, call](absl::Status status) {
                        give_up_ = nullptr;
                        if (!status.ok()) return attempt_->Fail(std::move(status));
                        lease_.Opened(call->response());
                        Attach();
                      });
}

void Core::Attach() {
  attached_ = Loop::Clock::now();
  attempt_->Attach();
}

void Core::Attached() {
  silence_.Cancel();
  // As of when it was asked for: the server counts from later.
  lease_.Renew(attached_, lease_.timeout());
  backlog_.Rewind();
  attached_ = Loop::Clock::now();
  link_ = attempt_.get();
  Emit(is_open() ? SessionEvent::kReconnected : SessionEvent::kConnected);
  if (opened_) std::exchange(opened_, nullptr)(absl::OkStatus());
  link_->Serve();
  for (const auto& call : std::set(calls_)) call->Linked(link_);
}

void Core::Ended(const absl::Status& why) {
  if (!end_.ok()) return;
  GiveUp();
  const bool served = std::exchange(link_, nullptr) != nullptr;
  if (served && Loop::Clock::now() - attached_ > kLinkGood) endpoints_.WasGood();
  if (closing_ || IsFinal(why)) return Finish(is_open() ? Lost(std::string(why.message())) : why);
  if (served) {
    Emit(SessionEvent::kSuspended);
    for (const auto& call : std::set(calls_)) call->Unlinked();
  }
  // Not at once: the link that has ended is still at work.
  next_ = loop_.After(endpoints_.Leave(why), [this] { Connect(); });
}

void Core::Unheard() {
  if (is_open()) {
    Finish(Lost(absl::StrCat("no server confirmed the session within ", Text(lease_.timeout()),
                             ": ", endpoints_.Failures())));
  } else {
    Finish(NoServer(absl::StrCat("no session within ", Text(options_.connect_timeout), ": ",
                                 endpoints_.Failures())));
  }
}

void Core::Leave() {
  if (std::exchange(closing_, true)) return;
  if (link_ == nullptr) return Finish(Closed());
  using CloseCall =
      internal::UnaryCallOf<v1::SessionService::Stub, v1::CloseRequest, v1::CloseResponse>;
  give_up_ = TryUnary(
      std::make_shared<CloseCall>(&v1::SessionService::Stub::PrepareAsyncClose, v1::CloseRequest()),
      /*linearizable=*/false, link_, std::nullopt,
      [this](const absl::Status&) { Finish(Closed()); });
  silence_ = loop_.After(kCloseTimeout, [this] { Finish(Closed()); });
}

void Core::Finish(const absl::Status& why) {
  if (!end_.ok()) return;
  end_ = closing_ ? Closed() : why;
  const bool closed = ReasonOf(end_) == Reason::kClosed;
  lease_.End();
  next_.Cancel();
  GiveUp();
  link_ = nullptr;
  if (attempt_ != nullptr) attempt_->Fail(end_);
  if (is_open() && !closed) Emit(SessionEvent::kLost);
  events_.End();
  for (const auto& operation : backlog_.Outstanding()) operation->Abandon(end_);
  watches_.End(end_);
  for (const auto& call : std::set(calls_)) call->End(end_);
  if (opened_) std::exchange(opened_, nullptr)(end_);
  for (Loop::Task& over : std::exchange(over_, {})) over();
}

void Core::GiveUp() {
  silence_.Cancel();
  if (give_up_) std::exchange(give_up_, nullptr)();
}

void Core::Emit(SessionEvent event) {
  events_.Emit(event);
  if (options_.on_event) options_.on_event(event);
}

// --- Calls ---------------------------------------------------------------------------------------

void Core::Take(const std::shared_ptr<Operation>& operation) {
  if (!end_.ok()) return operation->Abandon(end_);
  backlog_.Add(operation);
  // The operation outlives its timer.
  operation->deadline = loop_.After(operation->timeout, [operation = operation.get()] {
    operation->Abandon(TimedOut(operation->timeout));
  });
  if (link_ != nullptr) link_->Wake();
}

absl::Status Core::Watch(std::shared_ptr<Subscription> watch) {
  return watches_.Add(std::move(watch));
}

}  // namespace pando::client
