#include "loop.h"

#include <grpc/support/time.h>

#include <memory>
#include <utility>

namespace pando::client {
namespace {

// gRPC has a monotonic clock of its own.
gpr_timespec Deadline(Loop::Clock::time_point due) {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(due - Loop::Clock::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

}  // namespace

Loop::Timer& Loop::Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    Cancel();
    loop_ = std::exchange(other.loop_, nullptr);
    key_ = other.key_;
  }
  return *this;
}

void Loop::Timer::Cancel() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->timers_.erase(key_);
}

void Loop::Run() {
  thread_ = std::this_thread::get_id();
  for (;;) {
    RunDue();
    const gpr_timespec deadline = timers_.empty() ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                                                  : Deadline(timers_.begin()->first.first);
    void* tag = nullptr;
    bool ok = false;
    const auto status = queue_.AsyncNext(&tag, &ok, deadline);
    if (status == grpc::CompletionQueue::SHUTDOWN) return;
    if (status == grpc::CompletionQueue::TIMEOUT) continue;
    const std::unique_ptr<Completion> completion(static_cast<Completion*>(tag));
    (*completion)(ok);
  }
}

void Loop::Post(Task task) {
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  posted_.push_back(std::move(task));
  if (std::exchange(woken_, true)) return;
  alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), Expect([this](bool) { RunPosted(); }));
}

void Loop::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  queue_.Shutdown();
}

Loop::Timer Loop::At(Clock::time_point due, Task task) {
  Timer timer;
  timer.loop_ = this;
  timer.key_ = {due, ++last_timer_};
  timers_.emplace(timer.key_, std::move(task));
  return timer;
}

void Loop::RunDue() {
  // Not what they add: that has its turn after what gRPC has.
  const Clock::time_point now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

void Loop::RunPosted() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    woken_ = false;
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

}  // namespace pando::client
