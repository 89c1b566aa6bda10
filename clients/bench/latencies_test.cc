#include "bench/latencies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace pando::load {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Latencies, NothingTookNoTime) {
  EXPECT_EQ(Latencies().Quantile(0.99), nanoseconds(0));
  EXPECT_EQ(Latencies().count(), 0u);
}

TEST(Latencies, SmallOnesAreExact) {
  Latencies latencies;
  for (int ns = 1; ns <= 200; ++ns) latencies.Add(nanoseconds(ns));
  EXPECT_EQ(latencies.Quantile(0.5), nanoseconds(100));
  EXPECT_EQ(latencies.Quantile(1), nanoseconds(200));
  EXPECT_EQ(latencies.Quantile(0), nanoseconds(1));
}

TEST(Latencies, EveryDurationIsFoundAgainWithinItsBucket) {
  for (base::Duration each = nanoseconds(1); each < hours(10);
       each = each * 9 / 8 + nanoseconds(1)) {
    Latencies latencies;
    latencies.Add(each);
    latencies.Add(each * 2);
    EXPECT_GE(latencies.Quantile(0.5), each);
    EXPECT_LE(latencies.Quantile(0.5), each + each / 127);
  }
  Latencies latencies;
  latencies.Add(base::Duration(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(latencies.Quantile(1), base::Duration(std::numeric_limits<int64_t>::max()));
}

// What the definition says, from all samples.
base::Duration ExactQuantile(const std::vector<base::Duration>& sorted, double quantile) {
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

TEST(Latencies, QuantilesAreThoseOfTheSortedSamples) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    base::Rng rng(seed);
    Latencies latencies;
    std::vector<base::Duration> samples(rng.Between(1, 5'000));
    for (base::Duration& sample : samples) {
      // As latencies are: over many orders of magnitude.
      sample = nanoseconds(static_cast<int64_t>(rng.Below(uint64_t{1} << rng.Between(1, 40))));
      latencies.Add(sample);
    }
    std::sort(samples.begin(), samples.end());
    for (const double quantile : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const base::Duration exact = ExactQuantile(samples, quantile);
      EXPECT_GE(latencies.Quantile(quantile), exact) << "seed " << seed << " at " << quantile;
      EXPECT_LE(latencies.Quantile(quantile), exact + exact / 127)
          << "seed " << seed << " at " << quantile;
    }
    EXPECT_EQ(latencies.max(), samples.back());
    EXPECT_EQ(latencies.count(), samples.size());
  }
}

TEST(Latencies, TheTailIsSeenWhereItBegins) {
  Latencies latencies;
  for (int i = 0; i < 989; ++i) latencies.Add(microseconds(100));
  for (int i = 0; i < 11; ++i) latencies.Add(milliseconds(50));
  EXPECT_LT(latencies.Quantile(0.98), microseconds(101));
  EXPECT_EQ(latencies.Quantile(0.99), milliseconds(50));
  EXPECT_EQ(latencies.max(), milliseconds(50));
}

}  // namespace
}  // namespace pando::load
