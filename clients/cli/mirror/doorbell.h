// Doorbell: threads that have something for another one ring; it waits.
#ifndef PANDO_CLIENTS_CLI_MIRROR_DOORBELL_H_
#define PANDO_CLIENTS_CLI_MIRROR_DOORBELL_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace pando::cli {

class Doorbell {
 public:
  void Ring() {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_one();
  }
  // Until somebody rings, or has since the last wait; at most for `timeout`.
  void Wait(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;  // guarded by mutex_
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_DOORBELL_H_
