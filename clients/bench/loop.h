// Loop: the one thread on which all connections of a load live, because a load shares the machine
// with the servers that it measures.
#ifndef PANDO_CLIENTS_BENCH_LOOP_H_
#define PANDO_CLIENTS_BENCH_LOOP_H_

#include <array>
#include <asio.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "base/time.h"

namespace pando::load {

class Loop {
 public:
  // Runs what happens until Finish or Fail, which may have come already; OK, or the first failure
  // of all. May be called again.
  absl::Status Run();
  // The same, and UNAVAILABLE with `what` if that takes longer than `timeout`.
  absl::Status RunFor(base::Duration timeout, std::string_view what);

  // For what happens meanwhile.
  void Finish();
  void Fail(const absl::Status& status);

  base::Instant now() const { return {std::chrono::steady_clock::now().time_since_epoch()}; }
  asio::io_context& context() { return context_; }
  // For bytes that are read and used at once.
  std::array<char, 128 << 10>& buffer() { return buffer_; }

 private:
  asio::io_context context_{1};
  std::array<char, 128 << 10> buffer_;
  bool finished_ = false;
  absl::Status failure_;
};

// Alarm: does something at a time, once, unless it is set anew or gone by then.
class Alarm {
 public:
  explicit Alarm(Loop* loop) : timer_(loop->context()) {}
  void Set(base::Instant when, std::function<void()> what);

 private:
  asio::steady_timer timer_;
  // A timer that is cancelled may have expired already, with its handler waiting to be run.
  std::shared_ptr<std::function<void()>> what_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_LOOP_H_
