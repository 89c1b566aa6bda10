// SilenceAlarm: fails a load whose servers do not answer any more.
#ifndef PANDO_CLIENTS_BENCH_SILENCE_ALARM_H_
#define PANDO_CLIENTS_BENCH_SILENCE_ALARM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/time.h"
#include "bench/loop.h"

namespace pando::load {

class SilenceAlarm {
 public:
  // `loop` outlives it, and fails with UNAVAILABLE and `complaint` when an answer was awaited, and
  // none came, for `silence_max`; at the latest after twice that.
  SilenceAlarm(Loop* loop, base::Duration silence_max, std::string complaint)
      : loop_(loop), silence_max_(silence_max), complaint_(std::move(complaint)), alarm_(loop) {}

  // From now on. `awaits`: whether an answer is awaited.
  void Start(std::function<bool()> awaits);
  void OnAnswer() { ++answers_; }

 private:
  void LookAgain();

  Loop* const loop_;
  const base::Duration silence_max_;
  const std::string complaint_;
  std::function<bool()> awaits_;
  uint64_t answers_ = 0;
  Alarm alarm_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_SILENCE_ALARM_H_
