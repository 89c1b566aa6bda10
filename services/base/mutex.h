// std::mutex with clang's thread-safety annotations. absl::Mutex is not used: Debian's library is
// not built for TSan and makes false reports there.
#ifndef PANDO_BASE_MUTEX_H_
#define PANDO_BASE_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "base/time.h"

#if defined(__clang__)
#define PANDO_ATTRIBUTE(x) __attribute__((x))
#else
#define PANDO_ATTRIBUTE(x)
#endif
#define PANDO_GUARDED_BY(x) PANDO_ATTRIBUTE(guarded_by(x))
#define PANDO_REQUIRES(...) PANDO_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define PANDO_EXCLUDES(...) PANDO_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace pando::base {

// How many of the locks below this thread holds.
inline thread_local int locks_held = 0;

class PANDO_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void Lock() PANDO_ATTRIBUTE(acquire_capability()) {
    mutex_.lock();
    ++locks_held;
  }
  void Unlock() PANDO_ATTRIBUTE(release_capability()) {
    --locks_held;
    mutex_.unlock();
  }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class PANDO_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) PANDO_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() PANDO_ATTRIBUTE(release_capability()) { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

class CondVar {
 public:
  // Spurious wake-ups happen: wait in a loop over the condition.
  void Wait(Mutex* mutex) PANDO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex->mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();
  }
  // As Wait, but for at most `timeout`.
  void WaitFor(Mutex* mutex, Duration timeout) PANDO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex->mutex_, std::adopt_lock);
    condition_.wait_for(held, timeout);
    held.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace pando::base

#endif  // PANDO_BASE_MUTEX_H_
