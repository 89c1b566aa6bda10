// Inbox: the one way into the core, and the core's turn. Thread-safe.
//
//   adapters ── Post ──► queue ──► Take: the core's own thread, woken for it
//                          └─────► Lend: the thread that posted, if the core has nothing to do
//
// Only who has the turn touches the core, and at most one thread has it. To wake a thread takes
// longer than a turn with one request in it, so a thread that has brought in little runs the turn
// itself; what comes meanwhile is left to the core's own thread, so that nobody is kept from its
// work by more than one turn.
//
// No lock of an adapter's can be in the way of that. Who lends its thread holds none, which is
// checked; and a turn delivers no reply, for which a call's lock is taken: the lender does that
// when it has given the turn back.
//
// Only client requests are bounded (kInboxRequestsMax, kInboxRequestBytesMax): completions, ticks
// and peer messages have limits of their own where they are made, and are never refused, or a full
// Inbox would lock the very events that empty it.
#ifndef PANDO_IO_INBOX_H_
#define PANDO_IO_INBOX_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "io/event.h"
#include "model/limits.h"

namespace pando::io {

class Inbox {
 public:
  // Who sees to what is posted: the core's own thread, which is woken if it sleeps, or the thread
  // that posts, which calls Lend() as soon as it holds no lock.
  enum class By : uint8_t { kCore, kCaller };
  // What a thread with other work does for the core in one go: requests, and bytes of a peer.
  static constexpr size_t kLentRequestsMax = 16;
  static constexpr size_t kLentBytesMax = 64 * model::kKiB;
  // Handles the events, leaves none, and returns when the next turn is due though nothing comes.
  using Turn = std::function<base::Instant(std::vector<Event>*)>;

  // Never refused.
  void Post(Event event, By by = By::kCore) PANDO_EXCLUDES(mutex_);
  // False: full, nothing was taken, not even `batch`, and `on_room` (if given) runs once there is
  // room, in a turn; it must not block and may post. A pipeline pauses its reads with it.
  bool TryPost(RequestBatch&& batch, std::function<void()> on_room = nullptr, By by = By::kCore)
      PANDO_EXCLUDES(mutex_);
  // Runs a turn on this thread if the core has nothing to do and there is little; else its own
  // thread does. Delivers the replies after it. REQUIRES: the caller holds no lock.
  void Lend() PANDO_EXCLUDES(mutex_);

  // The rest is the core's own thread's.

  // What Lend() runs, and where that sends its replies; once, before the first Take(). Without it
  // nobody's thread is taken.
  void SetTurn(Turn turn, Egress* egress) PANDO_EXCLUDES(mutex_);
  // Ends the turn that this thread has, if any; the next one is due at `due`. Waits until there is
  // something to do, or it is time by `clock`, and nobody else has the turn. Has it then, until the
  // next call, and all that is queued at the end of `*events`.
  void Take(const std::function<base::Instant()>& clock, base::Instant due,
            std::vector<Event>* events) PANDO_EXCLUDES(mutex_);

 private:
  enum class Holder : uint8_t { kNobody, kCore, kLender };

  // True: the core's own thread has to be woken.
  bool Add(Event event, By by) PANDO_REQUIRES(mutex_);
  void AwaitTurn(const std::function<base::Instant()>& clock) PANDO_REQUIRES(mutex_);
  // Returns whom to tell that there is room.
  std::vector<std::function<void()>> MoveAll(std::vector<Event>* events) PANDO_REQUIRES(mutex_);
  void EndLent(base::Instant due) PANDO_EXCLUDES(mutex_);

  mutable base::Mutex mutex_;
  base::CondVar filled_;
  Turn turn_;                 // set once
  Egress* egress_ = nullptr;  // set with it
  Holder holder_ PANDO_GUARDED_BY(mutex_) = Holder::kNobody;
  base::Instant due_ PANDO_GUARDED_BY(mutex_);  // as the last turn has said
  // When the core's own thread looks again by itself; not, while it is awake.
  base::Instant looks_at_ PANDO_GUARDED_BY(mutex_);
  bool wants_turn_ PANDO_GUARDED_BY(mutex_) = false;  // it waits for the end of a lent one
  std::vector<Event> events_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> waiting_for_room_ PANDO_GUARDED_BY(mutex_);
  size_t requests_ PANDO_GUARDED_BY(mutex_) = 0;
  size_t request_bytes_ PANDO_GUARDED_BY(mutex_) = 0;
};

}  // namespace pando::io

#endif  // PANDO_IO_INBOX_H_
