// Core: a session's life: found, attached to one server at a time, and lost.
//
//   connect ──► CONNECTED ──► SUSPENDED ──► RECONNECTED ──► …
//                                 └─ the lease ran out, or a server says so ─► LOST
//
// Its thread's own, but for what says that it is for any thread.
#ifndef PANDO_CLIENTS_CPP_SRC_CORE_H_
#define PANDO_CLIENTS_CPP_SRC_CORE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "backlog.h"
#include "endpoints.h"
#include "lease.h"
#include "link.h"
#include "loop.h"
#include "operation.h"
#include "pando/client/options.h"
#include "repeated_call.h"
#include "session_events.h"
#include "subscription.h"
#include "watches.h"

namespace pando::client {

class Core final : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(Options options);

  // --- For any thread ---------------------------------------------------------------------------

  // Begins the search for a server, on the thread that is returned, which lives until Stop.
  // `opened` is told, there, when there is a session, or why there is none.
  std::thread Start(absl::AnyInvocable<void(absl::Status)> opened);
  // Ends the session on its server, if there is one; else it expires there. Then `over`.
  void Close(Loop::Task over);
  // REQUIRES: it is over.
  void Stop() { loop_.Stop(); }
  bool IsCurrent() const { return loop_.IsCurrent(); }

  const Options& options() const { return options_; }
  int64_t id() const { return lease_.id(); }
  std::chrono::milliseconds timeout() const { return lease_.timeout(); }
  // Of a call that says this one, or none.
  std::chrono::milliseconds TimeoutOf(std::optional<std::chrono::milliseconds> said) const;
  SessionEvents& events() { return events_; }

  void Submit(std::shared_ptr<Operation> operation);
  void Run(std::shared_ptr<RepeatedCall> call);
  void Post(Loop::Task task) { loop_.Post(std::move(task)); }
  void Unwatch(std::shared_ptr<Subscription> watch);
  void Resume(std::shared_ptr<Subscription> watch);

  // --- For the calls that it runs ---------------------------------------------------------------

  // It joins the session's stream. kTooLarge: with it there would be too many targets.
  absl::Status Watch(std::shared_ptr<Subscription> watch);

 private:
  void Connect();
  void OpenSession();
  void Attach();
  void Attached();
  void Ended(const absl::Status& why);
  void Unheard();
  void Leave();
  void Finish(const absl::Status& why);
  // What is asked of a server that is of no more use.
  void GiveUp();

  void Emit(SessionEvent event);
  void Take(const std::shared_ptr<Operation>& operation);
  bool is_open() const { return opened_ == nullptr; }

  const Options options_;
  Loop loop_;  // before all that has timers
  SessionEvents events_;
  Backlog backlog_;
  Watches watches_;
  Endpoints endpoints_;
  Lease lease_;
  std::set<std::shared_ptr<RepeatedCall>> calls_;
  absl::AnyInvocable<void(absl::Status)> opened_;  // null: it was told
  std::vector<Loop::Task> over_;                   // to be told
  std::shared_ptr<Link> attempt_;                  // the newest link
  Link* link_ = nullptr;                           // that serves; null: none
  Loop::Clock::time_point attached_;
  RepeatedCall::Cancel give_up_;  // Open or Close; null: neither is under way
  Loop::Timer silence_;           // of the server that is to attach, or to close
  Loop::Timer next_;              // attempt
  bool closing_ = false;
  absl::Status end_;  // of all that comes; OK: it lives
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_CORE_H_
