// Feed: what threads wait for: items in order, and how they end. Thread-safe; waiting costs no
// wake-ups.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_FEED_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_FEED_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pando/client/options.h"

namespace pando::client {

template <class T>
class Feed {
 public:
  // The next item; waits for it. After the last one: how it ended, kClosed if it ended well.
  absl::StatusOr<T> Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return Ready(); });
    return TakeFirst();
  }

  // DEADLINE_EXCEEDED, without a reason: there is none yet, and the timeout has passed.
  absl::StatusOr<T> Next(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::min(timeout, kTimeoutMax), [this] { return Ready(); })) {
      return absl::DeadlineExceededError("nothing has come yet");
    }
    return TakeFirst();
  }

  // How many items are there to be taken.
  size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

  // --- For those who fill it ---------------------------------------------------------------------

  void Put(std::vector<T> items) {
    {
      std::lock_guard lock(mutex_);
      if (end_) return;
      std::move(items.begin(), items.end(), std::back_inserter(items_));
    }
    changed_.notify_all();
  }

  // After what is there comes `end`, which is not OK. Only the first end counts.
  void End(absl::Status end) {
    {
      std::lock_guard lock(mutex_);
      if (!end_) end_ = std::move(end);
    }
    changed_.notify_all();
  }

 private:
  bool Ready() const { return !items_.empty() || end_; }

  absl::StatusOr<T> TakeFirst() {
    if (items_.empty()) return *end_;
    T first = std::move(items_.front());
    items_.pop_front();
    return first;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  std::optional<absl::Status> end_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_FEED_H_
