#include "bench/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace pando::load {

// The first kSteps buckets are 1 ns wide; then come kSteps buckets for each power of two.
//   ns = 1xxxxx…  with e bits below the leading kStepsLog2 + 1 ones  →  bucket e * kSteps + 1xxxxx
size_t Latencies::BucketOf(uint64_t ns) {
  if (ns < kSteps) return static_cast<size_t>(ns);
  const size_t exponent = std::bit_width(ns) - 1 - kStepsLog2;
  return exponent * kSteps + static_cast<size_t>(ns >> exponent);
}

uint64_t Latencies::LargestIn(size_t bucket) {
  if (bucket < 2 * kSteps) return bucket;
  const size_t exponent = bucket / kSteps - 1;
  const uint64_t leading = bucket - exponent * kSteps;
  return ((leading + 1) << exponent) - 1;
}

void Latencies::Add(base::Duration took) {
  const auto ns = static_cast<uint64_t>(std::max<int64_t>(took.count(), 0));
  ++buckets_[BucketOf(ns)];
  ++count_;
  max_ = std::max(max_, took);
}

base::Duration Latencies::Quantile(double quantile) const {
  CHECK(quantile >= 0 && quantile <= 1);
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted && seen > 0) {
      return std::min(max_, base::Duration(static_cast<int64_t>(LargestIn(bucket))));
    }
  }
  return base::Duration(0);
}

}  // namespace pando::load
