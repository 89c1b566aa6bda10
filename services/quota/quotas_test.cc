#include "quota/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

namespace pando::quota {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Quotas of a tree of which only the usage is known.
class QuotasTest : public testing::Test {
 protected:
  std::string_view Exceeded(std::string_view path, int64_t nodes, int64_t bytes) {
    return quotas_.Exceeded(path, nodes, bytes, [&](std::string_view top) {
      const auto found = usage_.find(top);
      return found == usage_.end() ? model::Usage() : found->second;
    });
  }

  Quotas quotas_;
  std::map<std::string, model::Usage, std::less<>> usage_;
};

TEST_F(QuotasTest, EveryOneOnTheWayToTheRootCounts) {
  EXPECT_TRUE(quotas_.empty());
  for (const char* top : {"/a", "/a/b", "/ab"}) quotas_.Put(top, {});
  EXPECT_THAT(quotas_.Of("/a/b/c"), ElementsAre("/a/b", "/a"));
  EXPECT_THAT(quotas_.Of("/a"), ElementsAre("/a"));
  EXPECT_THAT(quotas_.Of("/abc"), IsEmpty());
  EXPECT_THAT(quotas_.Of("/"), IsEmpty());
  EXPECT_TRUE(quotas_.Has("/a/b"));
  quotas_.Erase("/a/b");
  quotas_.Erase("/a/b");
  EXPECT_FALSE(quotas_.Has("/a/b"));
  EXPECT_THAT(quotas_.Of("/a/b/c"), ElementsAre("/a"));
}

TEST_F(QuotasTest, TheLastThatFitsFits) {
  quotas_.Put("/a", {.nodes_max = 5, .bytes_max = 100});
  usage_["/a"] = {.nodes = 3, .bytes = 90};
  EXPECT_EQ(Exceeded("/a/x", 1, 10), "");
  EXPECT_EQ(Exceeded("/a/x", 1, 11), "/a");
  EXPECT_EQ(Exceeded("/a/x/y", 2, 0), "");
  EXPECT_EQ(Exceeded("/a/x/y/z", 3, 0), "/a");
  EXPECT_EQ(Exceeded("/other", 1, 1'000), "");
}

// Of a node that comes with its parents, a quota counts those below its own top.
TEST_F(QuotasTest, ParentsOfANewNodeCountWhereTheyAre) {
  quotas_.Put("/a/b", {.nodes_max = 2});
  EXPECT_EQ(Exceeded("/a/b/c", 3, 0), "") << "/a is not within";
  EXPECT_EQ(Exceeded("/a/b/c/d", 4, 0), "/a/b");
  quotas_.Put("/a", {.nodes_max = 2});
  EXPECT_EQ(Exceeded("/a/b/c", 3, 0), "/a") << "but for this one it is";
}

// A limit that is set below what there is already refuses what would grow, and nothing else.
TEST_F(QuotasTest, WhatDoesNotGrowIsNotRefused) {
  quotas_.Put("/a", {.nodes_max = 1, .bytes_max = 1});
  usage_["/a"] = {.nodes = 9, .bytes = 9};
  EXPECT_EQ(Exceeded("/a/x", 0, 0), "");
  EXPECT_EQ(Exceeded("/a/x", 0, -1), "");
  EXPECT_EQ(Exceeded("/a/x", 0, 1), "/a");
  EXPECT_EQ(Exceeded("/a/x", 1, 0), "/a");
}

}  // namespace
}  // namespace pando::quota
