#include "api/wait_call.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace pando::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WaitCall, AWaitEndsWhenItsTimeIsUp) {
  const base::Instant now{seconds(100)};
  EXPECT_EQ(EndOfWait(now, milliseconds(1'500)), base::Instant{milliseconds(101'500)});
  EXPECT_EQ(EndOfWait(now, milliseconds(0)), now);
}

TEST(WaitCall, AWaitOfAThousandYearsDoesNotEndAtOnce) {
  const base::Instant now{seconds(100)};
  EXPECT_EQ(EndOfWait(now, std::chrono::hours(24 * 365'000)), base::kNever);
  EXPECT_EQ(EndOfWait(now, milliseconds(std::numeric_limits<int64_t>::max())), base::kNever);
}

}  // namespace
}  // namespace pando::api
