#include "bench/schedule.h"

#include <gtest/gtest.h>

namespace pando::load {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr base::Instant kStart{hours(3)};

TEST(Schedule, OperationsFallDueAtASteadyRate) {
  const Schedule schedule(kStart, 1'000);
  EXPECT_EQ(schedule.DueAt(0), kStart);
  EXPECT_EQ(schedule.DueAt(1), kStart + milliseconds(1));
  EXPECT_EQ(schedule.DueAt(7'000), kStart + milliseconds(7'000));
}

TEST(Schedule, NothingIsDueBeforeTheStart) {
  const Schedule schedule(kStart, 10);
  EXPECT_EQ(schedule.DueBy(kStart - nanoseconds(1)), 0u);
  EXPECT_EQ(schedule.DueBy(kStart), 1u);
}

TEST(Schedule, AfterAStallAllThatFellDueMeanwhileIsDue) {
  const Schedule schedule(kStart, 1'000);
  EXPECT_EQ(schedule.DueBy(kStart + milliseconds(250)), 251u);
}

TEST(Schedule, DueByCountsExactlyWhatDueAtSays) {
  for (const double rate : {0.3, 1.0, 7.0, 999.0, 33'333.3, 1e6, 3e8}) {
    const Schedule schedule(kStart, rate);
    for (uint64_t number = 0; number < 2'000; ++number) {
      const base::Instant due = schedule.DueAt(number * number);
      EXPECT_GE(schedule.DueBy(due), number * number + 1) << rate;
      EXPECT_LE(schedule.DueBy(due - nanoseconds(1)), number * number) << rate;
    }
  }
}

TEST(Schedule, NoErrorAddsUp) {
  const Schedule schedule(kStart, 3);
  EXPECT_EQ(schedule.DueAt(3 * 86'400), kStart + hours(24));
}

}  // namespace
}  // namespace pando::load
