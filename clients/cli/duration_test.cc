#include "cli/duration.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pando::cli {
namespace {

TEST(Duration, WholeNumbersWithAUnitAreTimes) {
  const struct {
    const char* text;
    int64_t ms;
  } kCases[] = {{"0", 0},        {"7", 7'000},      {"500ms", 500},     {"10s", 10'000},
                {"5m", 300'000}, {"2h", 7'200'000}, {"7d", 604'800'000}};
  for (const auto& c : kCases) {
    const auto time = ParseDuration(c.text);
    ASSERT_TRUE(time.ok()) << c.text;
    EXPECT_EQ(time->count(), c.ms) << c.text;
  }
}

TEST(Duration, AnythingElseIsRefused) {
  for (const char* text :
       {"", "s", "-1s", "+1s", "1.5s", " 1s", "1s ", "1 s", "1S", "1min", "0x1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDuration(text).status())) << text;
  }
}

TEST(Duration, TheLongestTtlIsTheLongestTime) {
  EXPECT_TRUE(ParseDuration("1099511627776ms").ok());  // 2^40
  for (const char* text :
       {"1099511627777ms", "1099511628s", "18446744073709551615d", "99999999999999999999s"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDuration(text).status())) << text;
  }
}

}  // namespace
}  // namespace pando::cli
