// Latencies: how long each of very many operations took, in bounded memory.
// Durations up to 32 ns are exact; from there on a bucket is at most 1/32 of what it stands for, so
// a quantile is at most 3.2 % too high. Owned by one thread.
#ifndef PANDO_CLIENTS_BENCH_LATENCIES_H_
#define PANDO_CLIENTS_BENCH_LATENCIES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pando::load {

class Latencies {
 public:
  // `count` operations that took `each`. Negative counts as 0.
  void Add(base::Duration each, uint64_t count = 1);

  uint64_t count() const { return count_; }
  base::Duration max() const { return max_; }
  // The duration that `quantile` (0..1) of the operations took at most; 0 if there are none.
  base::Duration Quantile(double quantile) const;

 private:
  static constexpr size_t kStepsLog2 = 5;  // 32 buckets for each power of two
  static constexpr size_t kSteps = size_t{1} << kStepsLog2;

  static size_t BucketOf(uint64_t ns);
  static uint64_t LargestIn(size_t bucket);

  std::array<uint64_t, (64 - kStepsLog2) * kSteps> buckets_{};
  uint64_t count_ = 0;
  base::Duration max_{0};
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_LATENCIES_H_
