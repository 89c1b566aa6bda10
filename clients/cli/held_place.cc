#include "cli/held_place.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status.h"
#include "cli/child.h"
#include "cli/exit_code.h"
#include "cli/held_session.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

// The wait for the place, on a thread and a connection of its own: it has no end, and the session
// has to be kept alive meanwhile.
class Waiting {
 public:
  Waiting(const Globals& globals, const HeldSession& session, const TakePlace& take)
      : connection_(globals.Connect()),
        thread_(
            [this, id = session.id(), token = session.token(), &take] { Run(id, token, take); }) {}
  ~Waiting() {
    Cancel();
    thread_.join();
  }

  // Whatever it waits for, it ends soon.
  void Cancel() {
    base::MutexLock lock(&mutex_);
    cancelled_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  bool done() const { return done_; }
  // REQUIRES: done.
  const absl::Status& status() const { return status_; }
  const Held& held() const { return held_; }

 private:
  void Run(int64_t session, const std::string& token, const TakePlace& take) {
    status_ = connection_.Call(
        CallKind::kStream, [&](const Server& server, grpc::ClientContext* context) {
          if (!Begin(context))
            return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "stopped");
          v1::RequestHeader header;
          connection_.Prepare(&header);
          header.set_session_id(session);
          context->AddMetadata("pando-session-token-bin", token);
          const grpc::Status status = take(server, context, header, &held_);
          Begin(nullptr);
          return status;
        });
    done_ = true;
  }
  // False: it is not wanted any more.
  bool Begin(grpc::ClientContext* context) {
    base::MutexLock lock(&mutex_);
    context_ = context;
    return !cancelled_;
  }

  Connection connection_;
  base::Mutex mutex_;
  grpc::ClientContext* context_ PANDO_GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ PANDO_GUARDED_BY(mutex_) = false;
  Held held_;
  absl::Status status_;
  std::atomic<bool> done_{false};
  std::thread thread_;  // last: the others are there when it starts
};

absl::StatusOr<Child> StartProgram(const std::vector<std::string>& program, const Held& held) {
  const std::string binary = FindProgram(program.front());
  if (binary.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no program ", program.front()));
  }
  return Child::Start({.binary = binary,
                       .arguments = {program.begin() + 1, program.end()},
                       .environment = {absl::StrCat("PANDO_OWNERSHIP_PATH=", held.ownership_path),
                                       absl::StrCat("PANDO_FENCING_TOKEN=", held.fencing_token)},
                       .in_foreground = true});
}

// TERM, and KILL after `grace`.
void Stop(Child* child, milliseconds grace) {
  child->Send(SIGTERM);
  const auto until = Connection::Clock::now() + grace;
  while (!child->End() && Connection::Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  child->Send(SIGKILL);
  child->WaitForEnd();
}

}  // namespace

absl::Status RunHolding(const Globals& globals, const HoldOptions& options, const TakePlace& take) {
  Signals signals;
  // Within one timeout: a beat is missed after a third, given up after another, and the program is
  // gone after a quarter more.
  Globals beating = globals;
  beating.timeout =
      std::min(globals.timeout.value_or(Globals::kTimeout), options.session_timeout / 3);
  Connection connection = beating.Connect();
  HeldSession session(&connection);
  PANDO_RETURN_IF_ERROR(session.Open(options.session_timeout));

  Waiting waiting(globals, session, take);
  std::optional<Child> child;
  absl::Status problem;
  bool told = false;
  const absl::Status alive = session.KeepAlive([&] {
    const bool stopped = signals.Stopped();
    if (!child && stopped) {
      problem = absl::CancelledError("stopped while it waited");
      return true;
    }
    if (!child && waiting.done()) {
      problem = waiting.status();
      if (!problem.ok()) return true;
      absl::StatusOr<Child> started = StartProgram(options.program, waiting.held());
      problem = started.status();
      if (!problem.ok()) return true;
      child = *std::move(started);
    }
    if (child && stopped && !std::exchange(told, true)) child->Send(SIGTERM);
    return child && child->End().has_value();
  });
  if (!alive.ok()) {
    if (child) Stop(&*child, session.timeout() / 4);
    return absl::FailedPreconditionError(
        absl::StrCat("the place is lost", child ? ", and the program was stopped: " : ": ",
                     base::View(std::string_view(alive.message().data(), alive.message().size()))));
  }
  // With the session the place goes, too.
  const absl::Status closed = session.Close();
  if (!problem.ok()) return problem;
  PANDO_RETURN_IF_ERROR(closed);
  return EndedAs(child->WaitForEnd());
}

}  // namespace pando::cli
