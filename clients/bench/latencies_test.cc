#include "bench/latencies.h"

#include <gtest/gtest.h>

#include <limits>

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
  for (int ns = 1; ns <= 40; ++ns) latencies.Add(nanoseconds(ns));
  EXPECT_EQ(latencies.Quantile(0.5), nanoseconds(20));
  EXPECT_EQ(latencies.Quantile(1), nanoseconds(40));
  EXPECT_EQ(latencies.Quantile(0), nanoseconds(1));
}

TEST(Latencies, EveryDurationIsFoundAgainWithinItsBucket) {
  for (base::Duration each = nanoseconds(1); each < hours(10);
       each = each * 9 / 8 + nanoseconds(1)) {
    Latencies latencies;
    latencies.Add(each);
    latencies.Add(each * 2);
    EXPECT_GE(latencies.Quantile(0.5), each);
    EXPECT_LE(latencies.Quantile(0.5), each + each / 31);
  }
  Latencies latencies;
  latencies.Add(base::Duration(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(latencies.Quantile(1), base::Duration(std::numeric_limits<int64_t>::max()));
}

TEST(Latencies, TheTailIsSeenWhereItBegins) {
  Latencies latencies;
  latencies.Add(microseconds(100), 989);
  latencies.Add(milliseconds(50), 11);
  EXPECT_LT(latencies.Quantile(0.98), microseconds(104));
  EXPECT_EQ(latencies.Quantile(0.99), milliseconds(50));
  EXPECT_EQ(latencies.max(), milliseconds(50));
}

}  // namespace
}  // namespace pando::load
