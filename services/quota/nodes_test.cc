#include "quota/nodes.h"

#include <gtest/gtest.h>

namespace pando::quota {
namespace {

TEST(Nodes, ThereAndBack) {
  EXPECT_EQ(LimitsPath("/a/b"), "/zookeeper/quota/a/b/zookeeper_limits");
  EXPECT_EQ(StatsPath("/a/b"), "/zookeeper/quota/a/b/zookeeper_stats");
  EXPECT_EQ(OfLimits(LimitsPath("/a/b")), "/a/b");
  EXPECT_EQ(OfStats(StatsPath("/a")), "/a");
  EXPECT_EQ(OfLimits(LimitsPath("/zookeeper_limits")), "/zookeeper_limits");
  EXPECT_EQ(OfStats(LimitsPath("/a")), "");
  EXPECT_EQ(OfLimits(StatsPath("/a")), "");
}

TEST(Nodes, OthersAreOfNoQuota) {
  for (const char* node :
       {"/", "/zookeeper/quota", "/zookeeper/quota/a", "/zookeeper/quota/zookeeper_limits",
        "/zookeeper/quotas/a/zookeeper_limits", "/zookeeper/quota/a/xzookeeper_limits",
        "/zookeeper/quota/zookeeper/zookeeper_limits",
        "/zookeeper/quota/zookeeper/quota/a/zookeeper_limits", "/quota/a/zookeeper_limits"}) {
    EXPECT_EQ(OfLimits(node), "") << node;
  }
  EXPECT_EQ(OfLimits("/zookeeper/quota/zookeeperish/zookeeper_limits"), "/zookeeperish");
}

}  // namespace
}  // namespace pando::quota
