#include "quota/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pando::quota {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Quotas, EveryOneOnTheWayToTheRootCounts) {
  Quotas quotas;
  EXPECT_TRUE(quotas.empty());
  quotas.Put("/a", {}, {.nodes = 2, .bytes = 5});
  quotas.Put("/a/b", {}, {.nodes = 1, .bytes = 5});
  quotas.Put("/ab", {}, {});
  EXPECT_THAT(quotas.Of("/a/b/c"), ElementsAre("/a/b", "/a"));
  EXPECT_THAT(quotas.Of("/a"), ElementsAre("/a"));
  EXPECT_THAT(quotas.Of("/abc"), IsEmpty());
  EXPECT_THAT(quotas.Of("/"), IsEmpty());

  quotas.Count("/a/b/c", {.nodes = 1, .bytes = 7});
  EXPECT_EQ(quotas.Find("/a")->usage, (Usage{3, 12}));
  EXPECT_EQ(quotas.Find("/a/b")->usage, (Usage{2, 12}));
  EXPECT_EQ(quotas.Find("/ab")->usage, Usage());
  quotas.Count("/a/b/c", {.nodes = -1, .bytes = -7});
  EXPECT_EQ(quotas.Find("/a")->usage, (Usage{2, 5}));

  quotas.Erase("/a/b");
  quotas.Erase("/a/b");
  EXPECT_EQ(quotas.Find("/a/b"), nullptr);
  EXPECT_THAT(quotas.Of("/a/b/c"), ElementsAre("/a"));
}

TEST(Quotas, TheLastThatFitsFits) {
  Quotas quotas;
  quotas.Put("/a", {.nodes_max = 5, .bytes_max = 100}, {.nodes = 3, .bytes = 90});
  EXPECT_EQ(quotas.Exceeded("/a/x", 1, 10), "");
  EXPECT_EQ(quotas.Exceeded("/a/x", 1, 11), "/a");
  EXPECT_EQ(quotas.Exceeded("/a/x/y", 2, 0), "");
  EXPECT_EQ(quotas.Exceeded("/a/x/y/z", 3, 0), "/a");
  EXPECT_EQ(quotas.Exceeded("/other", 1, 1'000), "");
}

// Of a node that comes with its parents, a quota counts those below its own top.
TEST(Quotas, ParentsOfANewNodeCountWhereTheyAre) {
  Quotas quotas;
  quotas.Put("/a/b", {.nodes_max = 2}, {});
  EXPECT_EQ(quotas.Exceeded("/a/b/c", 3, 0), "") << "/a is not within";
  EXPECT_EQ(quotas.Exceeded("/a/b/c/d", 4, 0), "/a/b");
  quotas.Put("/a", {.nodes_max = 2}, {});
  EXPECT_EQ(quotas.Exceeded("/a/b/c", 3, 0), "/a") << "but for this one it is";
}

// A limit that is set below what there is already refuses what would grow, and nothing else.
TEST(Quotas, WhatDoesNotGrowIsNotRefused) {
  Quotas quotas;
  quotas.Put("/a", {.nodes_max = 1, .bytes_max = 1}, {.nodes = 9, .bytes = 9});
  EXPECT_EQ(quotas.Exceeded("/a/x", 0, 0), "");
  EXPECT_EQ(quotas.Exceeded("/a/x", 0, -1), "");
  EXPECT_EQ(quotas.Exceeded("/a/x", 0, 1), "/a");
  EXPECT_EQ(quotas.Exceeded("/a/x", 1, 0), "/a");
}

}  // namespace
}  // namespace pando::quota
