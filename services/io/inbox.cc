#include "io/inbox.h"

#include <iterator>
#include <utility>

#include "base/check.h"

namespace pando::io {

// Whoever is woken wants the lock: it is released before, or they would sleep again at once.
void Inbox::Post(Event event, By by) {
  bool wake = false;
  {
    base::MutexLock lock(&mutex_);
    wake = Add(std::move(event), by);
  }
  if (wake) filled_.NotifyOne();
}

bool Inbox::TryPost(RequestBatch&& batch, std::function<void()> on_room, By by) {
  bool wake = false;
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
    wake = Add(std::move(batch), by);
  }
  if (wake) filled_.NotifyOne();
  return true;
}

// Who has the turn looks again before it sleeps. An event by kCaller may have been the first: so
// others wake the core's thread whether they are or not, if nobody has the turn.
bool Inbox::Add(Event event, By by) {
  events_.push_back(std::move(event));
  return by == By::kCore && holder_ == Holder::kNobody;
}

void Inbox::Lend() {
  CHECK(base::locks_held == 0);
  std::vector<Event> events;
  std::vector<std::function<void()>> waiting;
  bool lent = false;
  {
    base::MutexLock lock(&mutex_);
    if (events_.empty() || holder_ != Holder::kNobody) return;
    lent = turn_ != nullptr && requests_ <= kLentRequestsMax;
    if (lent) {
      holder_ = Holder::kLender;
      waiting = MoveAll(&events);
    }
  }
  if (!lent) return filled_.NotifyOne();
  for (const std::function<void()>& on_room : waiting) on_room();
  const bool delivers = egress_->Hold();
  const base::Instant due = turn_(&events);
  CHECK(events.empty());
  EndLent(due);
  if (delivers) egress_->Release();
}

void Inbox::EndLent(base::Instant due) {
  bool wake = false;
  {
    base::MutexLock lock(&mutex_);
    CHECK(holder_ == Holder::kLender);
    holder_ = Holder::kNobody;
    due_ = due;
    wake = wants_turn_ || !events_.empty() || due < looks_at_;
  }
  if (wake) filled_.NotifyOne();
}

void Inbox::SetTurn(Turn turn, Egress* egress) {
  CHECK(egress != nullptr);
  base::MutexLock lock(&mutex_);
  egress_ = egress;
  turn_ = std::move(turn);
}

void Inbox::Take(const std::function<base::Instant()>& clock, base::Instant due,
                 std::vector<Event>* events) {
  std::vector<std::function<void()>> waiting;
  {
    base::MutexLock lock(&mutex_);
    if (holder_ == Holder::kCore) holder_ = Holder::kNobody;
    due_ = due;
    AwaitTurn(clock);
    holder_ = Holder::kCore;
    waiting = MoveAll(events);
  }
  for (const std::function<void()>& on_room : waiting) on_room();
}

// Turns on other threads may move what is due, either way.
void Inbox::AwaitTurn(const std::function<base::Instant()>& clock) {
  for (;;) {
    wants_turn_ = holder_ == Holder::kLender;
    if (wants_turn_) {
      filled_.Wait(&mutex_);
      continue;
    }
    if (!events_.empty()) return;
    const base::Instant now = clock();
    if (due_ <= now) return;
    looks_at_ = due_;
    filled_.WaitFor(&mutex_, due_ - now);
    looks_at_ = base::Instant();
  }
}

std::vector<std::function<void()>> Inbox::MoveAll(std::vector<Event>* events) {
  if (events->empty()) {
    events->swap(events_);
  } else {
    events->insert(events->end(), std::make_move_iterator(events_.begin()),
                   std::make_move_iterator(events_.end()));
    events_.clear();
  }
  requests_ = 0;
  request_bytes_ = 0;
  return std::exchange(waiting_for_room_, {});
}

}  // namespace pando::io
