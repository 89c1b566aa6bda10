// Loop: what a session's one thread does: it polls gRPC, and runs what has come, what is due and
// what other threads hand to it. So nothing of a session needs a lock, and no step waits for
// another thread.
//
// One thread calls Run; the others call Post and Stop. The rest is the loop's own thread's.
#ifndef PANDO_CLIENTS_CPP_SRC_LOOP_H_
#define PANDO_CLIENTS_CPP_SRC_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace pando::client {

class Loop final {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = absl::AnyInvocable<void()>;
  // What is to be done when an operation of gRPC is.
  using Completion = absl::AnyInvocable<void(bool ok)>;

  // A task that is due at a time, unless this is destroyed before. It must not outlive its loop.
  class Timer {
   public:
    Timer() = default;
    Timer(Timer&& other) noexcept { *this = std::move(other); }
    Timer& operator=(Timer&& other) noexcept;
    ~Timer() { Cancel(); }
    void Cancel();

   private:
    friend class Loop;
    using Key = std::pair<Clock::time_point, uint64_t>;

    Loop* loop_ = nullptr;
    Key key_;
  };

  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until it is stopped and everything that was expected has come.
  void Run();

  // From any thread; after Stop the task is dropped.
  void Post(Task task);
  // From any thread, once. REQUIRES: nothing asks anything of gRPC any more.
  void Stop();
  bool IsCurrent() const { return std::this_thread::get_id() == thread_.load(); }

  [[nodiscard]] Timer At(Clock::time_point due, Task task);
  [[nodiscard]] Timer After(Clock::duration delay, Task task) {
    return At(Clock::now() + delay, std::move(task));
  }

  // A tag for an operation of gRPC on this queue, which is to be started.
  static void* Expect(Completion completion) { return new Completion(std::move(completion)); }
  grpc::CompletionQueue* queue() { return &queue_; }

 private:
  void RunDue();
  void RunPosted();

  grpc::CompletionQueue queue_;
  std::atomic<std::thread::id> thread_;
  std::map<Timer::Key, Task> timers_;
  uint64_t last_timer_ = 0;

  std::mutex mutex_;
  std::vector<Task> posted_;
  bool woken_ = false;  // the alarm is on its way
  bool stopped_ = false;
  grpc::Alarm alarm_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_LOOP_H_
