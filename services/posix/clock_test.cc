#include "posix/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace pando::posix {
namespace {

TEST(Clock, NeverGoesBack) {
  base::Instant last = Now();
  for (int i = 0; i < 1000; ++i) {
    const base::Instant now = Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, TheWallClockIsTheSystemsInMilliseconds) {
  using std::chrono::milliseconds;
  const auto system_ms = [] {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  // It may be set back meanwhile, by an hour at most on any machine that runs tests.
  EXPECT_NEAR(static_cast<double>(WallNow().ms), static_cast<double>(system_ms()), 3'600'000.0);
}

}  // namespace
}  // namespace pando::posix
