// Inbox: the one way into the core thread. Thread-safe.
//
// Only client requests are bounded (kInboxRequestsMax, kInboxRequestBytesMax): completions, ticks
// and peer messages have limits of their own where they are made, and are never refused, or a full
// Inbox would lock the very events that empty it.
#ifndef PANDO_IO_INBOX_H_
#define PANDO_IO_INBOX_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "io/event.h"

namespace pando::io {

class Inbox {
 public:
  // Never refused.
  void Post(Event event) PANDO_EXCLUDES(mutex_);
  // False: full, nothing was taken, not even `batch`, and `on_room` (if given) runs once there is
  // room, on the core thread; it must not block and may post. A pipeline pauses its reads with it.
  bool TryPost(RequestBatch&& batch, std::function<void()> on_room = nullptr)
      PANDO_EXCLUDES(mutex_);

  // Moves all that is queued to the end of `*events`; waits for something at most `timeout`.
  // Called by the core thread only.
  void Drain(base::Duration timeout, std::vector<Event>* events) PANDO_EXCLUDES(mutex_);

  // Drain returns at once from now on.
  void Close() PANDO_EXCLUDES(mutex_);
  bool closed() const PANDO_EXCLUDES(mutex_);

 private:
  mutable base::Mutex mutex_;
  base::CondVar filled_;
  std::vector<Event> events_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> waiting_for_room_ PANDO_GUARDED_BY(mutex_);
  size_t requests_ PANDO_GUARDED_BY(mutex_) = 0;
  size_t request_bytes_ PANDO_GUARDED_BY(mutex_) = 0;
  bool closed_ PANDO_GUARDED_BY(mutex_) = false;
};

}  // namespace pando::io

#endif  // PANDO_IO_INBOX_H_
