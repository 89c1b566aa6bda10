// Tally: what came of the operations of a measurement: of those that were started in its window and
// of no others, so that warming up and the last answers' delay leave no trace. Pure.
#ifndef PANDO_CLIENTS_BENCH_TALLY_H_
#define PANDO_CLIENTS_BENCH_TALLY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "bench/latencies.h"

namespace pando::load {

class Tally {
 public:
  // The window is [begin, end).
  Tally(base::Instant begin, base::Instant end) : begin_(begin), end_(end), last_(begin) {}

  // An operation was answered. In an open loop it started when it fell due.
  void Answer(base::Instant started, base::Instant answered);
  void Failure(base::Instant started, base::Instant answered, std::string_view why);
  // An operation fell due and was never sent, because those before it had not been answered: it
  // took at least until `now`.
  void Unsent(base::Instant started, base::Instant now);

  base::Instant begin() const { return begin_; }
  base::Instant end() const { return end_; }
  uint64_t answered() const { return answered_; }  // failures too
  uint64_t failed() const { return failed_; }
  uint64_t unsent() const { return unsent_; }
  const std::string& first_failure() const { return first_failure_; }
  const Latencies& latencies() const { return latencies_; }  // unsent ones too
  // From the begin to the last answer.
  base::Duration elapsed() const { return last_ - begin_; }
  double per_second() const;
  // The least that was answered in a whole second in the middle. The first has what was started
  // before the window, and the last is not whole. 0: there are not three seconds.
  uint64_t lowest_second() const;

 private:
  bool counts(base::Instant started) const { return started >= begin_ && started < end_; }

  const base::Instant begin_;
  const base::Instant end_;
  base::Instant last_;
  uint64_t answered_ = 0;
  uint64_t failed_ = 0;
  uint64_t unsent_ = 0;
  std::string first_failure_;
  Latencies latencies_;
  std::vector<uint64_t> by_second_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_TALLY_H_
