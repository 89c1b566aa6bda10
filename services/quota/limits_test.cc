#include "quota/limits.h"

#include <gtest/gtest.h>

#include <limits>

namespace pando::quota {
namespace {

TEST(Limits, TextOfZooKeeper) {
  const struct {
    const char* text;
    Limits limits;
  } cases[] = {
      {"", {}},
      {"count=4,bytes=5=;countHardLimit=10;byteHardLimit=20", {10, 20}},
      {"count=4,bytes=5=;byteHardLimit=20;countHardLimit=10", {10, 20}},
      {"count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=10", {10, {}}},
      {"countHardLimit=0", {0, {}}},
      {"byteHardLimit=9223372036854775807", {{}, std::numeric_limits<int64_t>::max()}},
      // Soft limits bind nobody.
      {"count=4,bytes=5", {}},
      // What cannot be read is no limit, and does not take the other one with it.
      {"countHardLimit=ten;byteHardLimit=20", {{}, 20}},
      {"countHardLimit=99999999999999999999;byteHardLimit=20", {{}, 20}},
      {"countHardLimit=;byteHardLimit", {}},
      {"countHardLimit==5", {}},
      {"=;;,,=", {}},
  };
  for (const auto& one : cases) EXPECT_EQ(ParseLimits(one.text), one.limits) << one.text;
}

TEST(Limits, UsageIsWrittenAsZooKeeperReadsIt) {
  EXPECT_EQ(FormatUsage({.nodes = 3, .bytes = 12}), "count=3,bytes=12");
}

}  // namespace
}  // namespace pando::quota
