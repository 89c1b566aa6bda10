// Latencies: how long each of very many operations took, in bounded memory, as HdrHistogram does.
// Durations below 128 ns are exact; from there on a bucket is at most 1/128 of what it stands for,
// so a quantile is at most 0.8 % too high. Owned by one thread.
#ifndef PANDO_CLIENTS_BENCH_LATENCIES_H_
#define PANDO_CLIENTS_BENCH_LATENCIES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace pando::load {

class Latencies {
 public:
  Latencies() : buckets_((64 - kStepsLog2) * kSteps) {}

  // An operation that took so long. Negative counts as 0.
  void Add(base::Duration took);

  uint64_t count() const { return count_; }
  base::Duration max() const { return max_; }
  // The duration that `quantile` (0..1) of the operations took at most; 0 if there are none.
  base::Duration Quantile(double quantile) const;

 private:
  static constexpr size_t kStepsLog2 = 7;  // 128 buckets for each power of two
  static constexpr size_t kSteps = size_t{1} << kStepsLog2;

  static size_t BucketOf(uint64_t ns);
  static uint64_t LargestIn(size_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  base::Duration max_{0};
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_LATENCIES_H_
