#include "bench/process_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace pando::load {
namespace {

TEST(ProcessUsage, TicksAreTheUsersAndTheSystems) {
  EXPECT_EQ(CpuTicks("71 (java) S 1 71 71 0 -1 4194560 9 0 0 0 1200 34 0 0 20 0 41 0 5"), 1234u);
}

TEST(ProcessUsage, AProgramsNameMayLookLikeFields) {
  EXPECT_EQ(CpuTicks("71 (a b) c) S 1 71 71 0 -1 4194560 9 0 0 0 5 6 0 0 20 0 41 0 5"), 11u);
}

TEST(ProcessUsage, WhatIsNoStatLineSaysNothing) {
  for (const char* text :
       {"", "71", "71 (java) S 1 2 3", "71 (x) S 1 71 71 0 -1 4 9 0 0 0 a b 0"}) {
    EXPECT_EQ(CpuTicks(text), std::nullopt) << text;
  }
}

TEST(ProcessUsage, MemoryIsTheFieldOfThatName) {
  const std::string status =
      "Name:\tVmRSS\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n";
  EXPECT_EQ(StatusBytes(status, "VmRSS"), 1024u * 1024);
  EXPECT_EQ(StatusBytes(status, "VmHWM"), 2048u * 1024);
  EXPECT_EQ(StatusBytes(status, "VmSwap"), std::nullopt);
  EXPECT_EQ(StatusBytes("", "VmRSS"), std::nullopt);
}

TEST(ProcessUsage, ProcessesAreSummedUp) {
  const auto one = UsageOf({::getpid()});
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_GT(one->resident_bytes, 0u);
  EXPECT_GE(one->resident_bytes_max, one->resident_bytes);
  const auto two = UsageOf({::getpid(), ::getpid()});
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_GT(two->resident_bytes, one->resident_bytes);
}

TEST(ProcessUsage, AProcessThatIsGoneIsNamed) {
  const auto usage = UsageOf({::getpid(), 1 << 30});
  EXPECT_EQ(usage.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(usage.status().message().find("1073741824"), absl::string_view::npos);
}

}  // namespace
}  // namespace pando::load
