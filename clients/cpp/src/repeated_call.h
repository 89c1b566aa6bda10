// RepeatedCall: a call that is made until a server has answered it. For what may be repeated.
//
// Made by the caller's thread, and from then on the session's thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_REPEATED_CALL_H_
#define PANDO_CLIENTS_CPP_SRC_REPEATED_CALL_H_

#include <chrono>
#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "link.h"
#include "loop.h"

namespace pando::client {

class RepeatedCall final : public std::enable_shared_from_this<RepeatedCall> {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  // Gives a try up.
  using Cancel = absl::AnyInvocable<void()>;
  // One try: ends with `tried`, once, unless it is given up. `deadline`: the call's.
  using Try = absl::AnyInvocable<Cancel(Link* link, Loop::Clock::time_point deadline,
                                        std::function<void(absl::Status)> tried)>;

  RepeatedCall(std::chrono::milliseconds timeout, Try try_once, Done done)
      : timeout_(timeout), try_once_(std::move(try_once)), done_(std::move(done)) {}

  // `ended`: when it has, before its caller is told.
  void Begin(Loop* loop, absl::AnyInvocable<void()> ended);
  // There is a server.
  void Linked(Link* link);
  // There is none, until it is linked again.
  void Unlinked();
  void End(absl::Status status);

 private:
  void TryOnce();
  void Tried(absl::Status status);
  void Stop();

  const std::chrono::milliseconds timeout_;
  Try try_once_;
  Done done_;
  absl::AnyInvocable<void()> ended_;
  Loop* loop_ = nullptr;
  Link* link_ = nullptr;
  Loop::Clock::time_point deadline_;
  Loop::Timer expiry_;
  Loop::Timer again_;
  Cancel cancel_;  // the try under way; null: none
  int tries_ = 0;  // those given up are not heard
  bool over_ = false;
  absl::Status last_;  // what the last try said
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_REPEATED_CALL_H_
