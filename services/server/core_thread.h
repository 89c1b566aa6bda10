// CoreThread: the Replica, and the thread that runs its turns when nobody who posts lends the core
// a thread (io/inbox.h). A turn takes what is queued in the Inbox, hands over each event, and
// flushes once: group commit, one wake-up of egress and one message per peer fall out of that.
#ifndef PANDO_SERVER_CORE_THREAD_H_
#define PANDO_SERVER_CORE_THREAD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

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

  // `inbox` and `egress`, which is the replica's, outlive the thread. `on_turn` runs at the end of
  // every turn.
  CoreThread(io::Inbox* inbox, std::unique_ptr<replica::Replica> replica, Clocks clocks,
             io::Egress* egress, std::function<void(base::Instant)> on_turn);
  // REQUIRES: Stop() was called.
  ~CoreThread();

  // Posts a Shutdown, and waits until the replica has answered everything and ended every stream,
  // but at most `patience`. True if it was done in time. The replica is gone after that, and events
  // that are still posted are dropped. Called once.
  bool Stop(base::Duration patience);

 private:
  void Run();
  // Returns when the next one is due. On the thread that has the turn.
  base::Instant Turn(std::vector<io::Event>* events);

  io::Inbox* const inbox_;
  std::unique_ptr<replica::Replica> replica_;  // whose turn it is
  const Clocks clocks_;
  const std::function<void(base::Instant)> on_turn_;
  // Instant after which the loop ends though the replica has not finished.
  std::atomic<base::Instant> give_up_{base::kNever};
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

}  // namespace pando::server

#endif  // PANDO_SERVER_CORE_THREAD_H_
