#include "repeated_call.h"

#include <utility>

#include "errors.h"

namespace pando::client {
namespace {

// Between two tries on a link that is about to be found broken.
constexpr std::chrono::milliseconds kPause{20};

// Of a try. A server's TIMEOUT is the call's: each try has all the time that the call has left.
bool MayTryAgain(const absl::Status& error) {
  const Reason reason = ReasonOf(error);
  return reason != Reason::kTimeout && (IsRetriable(error) || reason == Reason::kNoServer);
}

}  // namespace

void RepeatedCall::Begin(Loop* loop, absl::AnyInvocable<void()> ended) {
  loop_ = loop;
  ended_ = std::move(ended);
  deadline_ = Loop::Clock::now() + timeout_;
  expiry_ = loop_->At(
      deadline_, [self = shared_from_this()] { self->End(TimedOut(self->timeout_, self->last_)); });
}

void RepeatedCall::Linked(Link* link) {
  link_ = link;
  TryOnce();
}

void RepeatedCall::Unlinked() {
  link_ = nullptr;
  Stop();
}

void RepeatedCall::TryOnce() {
  if (over_ || link_ == nullptr) return;
  cancel_ = try_once_(link_, deadline_,
                      [self = shared_from_this(), number = ++tries_](absl::Status status) {
                        if (number == self->tries_) self->Tried(std::move(status));
                      });
}

void RepeatedCall::Tried(absl::Status status) {
  cancel_ = nullptr;
  if (MayTryAgain(status)) {
    last_ = std::move(status);
    again_ = loop_->After(kPause, [self = shared_from_this()] { self->TryOnce(); });
  } else {
    End(std::move(status));
  }
}

void RepeatedCall::End(absl::Status status) {
  if (std::exchange(over_, true)) return;
  const auto self = shared_from_this();  // whoever keeps it may let it go
  expiry_.Cancel();
  Stop();
  ended_();
  done_(std::move(status));
}

void RepeatedCall::Stop() {
  ++tries_;
  again_.Cancel();
  if (cancel_) std::exchange(cancel_, nullptr)();
}

}  // namespace pando::client
