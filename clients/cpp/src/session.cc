#include "pando/client/session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core.h"
#include "errors.h"
#include "tries.h"

namespace pando::client {
namespace {

absl::Status Invalid(const std::string& message) {
  return MakeError(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

absl::Status Check(const Options& options) {
  const std::vector<std::string>& endpoints = options.endpoints;
  if (endpoints.empty() || std::count(endpoints.begin(), endpoints.end(), "") > 0) {
    return Invalid("at least one endpoint is needed, and none may be empty");
  }
  for (const auto timeout : {options.session_timeout, options.connect_timeout,
                             options.operation_timeout, options.attempt_timeout}) {
    if (timeout <= std::chrono::milliseconds(0) || timeout > kTimeoutMax) {
      return Invalid("a timeout is more than nothing, and a year at most");
    }
  }
  if (options.tls && options.tls->certificate.empty() != options.tls->key.empty()) {
    return Invalid("a certificate goes with its key");
  }
  // gRPC ends the program that has others in its metadata.
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  for (const std::string& identity : options.identities) {
    if (!std::all_of(identity.begin(), identity.end(), is_printable)) {
      return Invalid("an identity is of printable ASCII characters");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Connect(Options options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto core = std::make_shared<Core>(std::move(options));
  std::promise<absl::Status> opened;
  std::future<absl::Status> future = opened.get_future();
  std::thread thread = core->Start(
      [opened = std::move(opened)](absl::Status status) mutable { opened.set_value(status); });
  auto session = std::unique_ptr<Session>(new Session(core, std::move(thread)));
  if (absl::Status status = future.get(); !status.ok()) return status;
  return session;
}

Session::Session(std::shared_ptr<Core> core, std::thread thread)
    : core_(std::move(core)), thread_(std::move(thread)) {}

Session::~Session() {
  core_->Close([core = core_.get()] { core->Stop(); });
  if (core_->IsCurrent()) {
    thread_.detach();  // it keeps the core until it is done
  } else {
    thread_.join();
  }
}

int64_t Session::id() const { return core_->id(); }

std::chrono::milliseconds Session::timeout() const { return core_->timeout(); }

const Options& Session::options() const { return core_->options(); }

std::shared_ptr<Feed<SessionEvent>> Session::Events() { return core_->events().NewFeed(); }

void Session::Close() {
  std::promise<void> closed;
  std::future<void> future = closed.get_future();
  core_->Close([closed = std::move(closed)]() mutable { closed.set_value(); });
  if (!core_->IsCurrent()) future.wait();
}

absl::Status Session::MayBlock() const {
  if (!core_->IsCurrent()) return absl::OkStatus();
  return absl::FailedPreconditionError("what blocks cannot be called on the session's own thread");
}

void Session::Run(std::shared_ptr<internal::UnaryCall> call,
                  absl::AnyInvocable<void(absl::Status)> done, CallOptions options) {
  const auto try_once = [call = std::move(call), linearizable = options.linearizable](
                            Link* link, Loop::Clock::time_point deadline, Tried tried) {
    return TryUnary(call, linearizable, link, deadline, std::move(tried));
  };
  core_->Run(
      std::make_shared<RepeatedCall>(core_->TimeoutOf(options.timeout), try_once, std::move(done)));
}

void Session::AsyncWalk(v1::WalkRequest request, Callback<Subtree> done, CallOptions options) {
  if (options.linearizable) {
    request.mutable_header()->set_consistency(v1::CONSISTENCY_LINEARIZABLE);
  }
  const auto subtree = std::make_shared<Subtree>();
  const auto try_once = [subtree, request = std::move(request)](Link* link, Loop::Clock::time_point,
                                                                Tried tried) {
    return TryWalk(subtree, request, link, std::move(tried));
  };
  core_->Run(std::make_shared<RepeatedCall>(
      core_->TimeoutOf(options.timeout), try_once,
      [subtree, done = std::move(done)](const absl::Status& status) mutable {
        if (!status.ok()) return done(status);
        done(std::move(*subtree));
      }));
}

void Session::AsyncWatch(std::vector<v1::WatchTarget> targets,
                         Callback<std::unique_ptr<client::Watch>> done, WatchOptions options) {
  const auto once = [](const v1::WatchTarget& target) { return target.once(); };
  if (std::any_of(targets.begin(), targets.end(), once)) {
    return core_->Post([done = std::move(done)]() mutable { done(Invalid("a target with once")); });
  }
  v1::WatchRequest request;
  request.mutable_targets()->Add(targets.begin(), targets.end());
  request.set_start_revision(options.start_revision);
  request.set_send_initial(options.send_initial);
  const auto subscription = std::make_shared<Subscription>();
  subscription->targets = std::move(targets);
  subscription->on_ready.Set(std::move(options.on_ready));
  const auto try_once = [core = core_.get(), subscription, request = std::move(request)](
                            Link* link, Loop::Clock::time_point, Tried tried) {
    return TryWatch(core, subscription, request, link, std::move(tried));
  };
  core_->Run(std::make_shared<RepeatedCall>(
      core_->TimeoutOf(options.timeout), try_once,
      [core = core_, subscription, done = std::move(done)](const absl::Status& status) mutable {
        if (!status.ok()) return done(status);
        done(std::make_unique<client::Watch>(std::move(core), subscription));
      }));
}

}  // namespace pando::client
