// Stream: one call of many messages: what comes, and then why it ended. The session's thread's own.
//
// gRPC gives back every operation that it was handed, also of a call that is cancelled, and each
// holds its stream until then. Whoever cancels it is told nothing more.
#ifndef PANDO_CLIENTS_CPP_SRC_STREAM_H_
#define PANDO_CLIENTS_CPP_SRC_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "errors.h"
#include "loop.h"

namespace pando::client {

// `Call` is gRPC's ClientAsyncReader or ClientAsyncReaderWriter, `Message` what it reads.
template <class Call, class Message>
class Stream final : public std::enable_shared_from_this<Stream<Call, Message>> {
 public:
  struct Handlers {
    absl::AnyInvocable<void(Message)> message;
    // Once, and last. OK: the server ended it.
    absl::AnyInvocable<void(absl::Status)> end;
    // Another message can be written.
    absl::AnyInvocable<void()> writable = [] {};
  };

  Stream(Loop* loop, Handlers handlers) : loop_(loop), handlers_(std::move(handlers)) {}

  // To be filled before Start.
  grpc::ClientContext* context() { return &context_; }

  // `call` was prepared with context().
  void Start(std::unique_ptr<Call> call) {
    call_ = std::move(call);
    call_->StartCall(Expect([this](bool ok) {
      if (!ok) return Finish();
      started_ = true;
      Read();
      handlers_.writable();
    }));
  }

  bool is_writable() const { return started_ && !writing_ && !over_; }

  // REQUIRES: is_writable().
  template <class Request>
  void Write(const Request& request) {
    writing_ = true;
    call_->Write(request, Expect([this](bool ok) {
                   writing_ = false;
                   if (ok) handlers_.writable();  // else the reader hears why
                 }));
  }

  void Cancel() {
    if (!std::exchange(over_, true)) context_.TryCancel();
  }

 private:
  void* Expect(Loop::Completion then) {
    return loop_->Expect(
        [self = this->shared_from_this(), then = std::move(then)](bool ok) mutable {
          if (!self->over_) then(ok);
        });
  }

  void Read() {
    call_->Read(&message_, Expect([this](bool ok) {
      if (!ok) return Finish();
      handlers_.message(std::exchange(message_, Message()));
      if (!over_) Read();
    }));
  }

  void Finish() {
    call_->Finish(&status_, Expect([this](bool) {
      over_ = true;
      handlers_.end(status_.ok() ? absl::OkStatus() : CallFailure(status_));
    }));
  }

  Loop* const loop_;
  Handlers handlers_;
  grpc::ClientContext context_;
  std::unique_ptr<Call> call_;
  Message message_;
  grpc::Status status_;
  bool started_ = false;
  bool writing_ = false;
  bool over_ = false;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_STREAM_H_
