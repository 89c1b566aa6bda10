#include "io/inbox.h"

#include <iterator>
#include <utility>

#include "model/limits.h"

namespace pando::io {

// Whoever is woken wants the lock: it is released before, or they would sleep again at once.
void Inbox::Post(Event event) {
  bool first = false;
  {
    base::MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
    first = events_.size() == 1;
  }
  if (first) filled_.NotifyOne();
}

bool Inbox::TryPost(RequestBatch&& batch, std::function<void()> on_room) {
  bool first = false;
  {
    base::MutexLock lock(&mutex_);
    // What is empty takes any batch: one larger than the bound must not wait for ever.
    const bool full =
        requests_ > 0 && (requests_ + batch.requests.size() > model::kInboxRequestsMax ||
                          request_bytes_ + batch.bytes > model::kInboxRequestBytesMax);
    if (full) {
      if (on_room) waiting_for_room_.push_back(std::move(on_room));
      return false;
    }
    requests_ += batch.requests.size();
    request_bytes_ += batch.bytes;
    events_.push_back(std::move(batch));
    first = events_.size() == 1;
  }
  if (first) filled_.NotifyOne();
  return true;
}

void Inbox::Drain(base::Duration timeout, std::vector<Event>* events) {
  std::vector<std::function<void()>> waiting;
  {
    base::MutexLock lock(&mutex_);
    if (events_.empty() && !closed_ && timeout > base::Duration::zero()) {
      filled_.WaitFor(&mutex_, timeout);
    }
    if (events->empty()) {
      events->swap(events_);
    } else {
      events->insert(events->end(), std::make_move_iterator(events_.begin()),
                     std::make_move_iterator(events_.end()));
      events_.clear();
    }
    requests_ = 0;
    request_bytes_ = 0;
    waiting.swap(waiting_for_room_);
  }
  for (const std::function<void()>& on_room : waiting) on_room();
}

void Inbox::Close() {
  base::MutexLock lock(&mutex_);
  closed_ = true;
  filled_.NotifyOne();
}

bool Inbox::closed() const {
  base::MutexLock lock(&mutex_);
  return closed_;
}

}  // namespace pando::io
