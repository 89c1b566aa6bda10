// CoreThread: the thread that owns the Replica. It takes what is queued in the Inbox, hands over
// each event, and flushes once: group commit, one wake-up of egress and one message per peer fall
// out of that.
#ifndef PANDO_SERVER_CORE_THREAD_H_
#define PANDO_SERVER_CORE_THREAD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/time.h"
#include "io/inbox.h"
#include "replica/replica.h"

namespace pando::server {

class CoreThread {
 public:
  struct Clocks {
    std::function<base::Instant()> now;
    std::function<base::WallTime()> wall;
  };

  // `inbox` outlives the thread. `on_turn` runs before every wait, on this thread.
  CoreThread(io::Inbox* inbox, std::unique_ptr<replica::Replica> replica, Clocks clocks,
             std::function<void(base::Instant)> on_turn);
  // REQUIRES: Stop() was called.
  ~CoreThread();

  // Posts a Shutdown, and waits until the replica has answered everything and ended every stream,
  // but at most `patience`. True if it was done in time. The replica is gone after that, and events
  // that are still posted are dropped. Called once.
  bool Stop(base::Duration patience);

 private:
  void Run();

  io::Inbox* const inbox_;
  std::unique_ptr<replica::Replica> replica_;  // this thread's alone
  const Clocks clocks_;
  const std::function<void(base::Instant)> on_turn_;
  // Instant after which the loop ends though the replica has not finished.
  std::atomic<base::Instant> give_up_{base::kNever};
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

}  // namespace pando::server

#endif  // PANDO_SERVER_CORE_THREAD_H_
