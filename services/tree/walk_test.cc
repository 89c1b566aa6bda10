#include "tree/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pando::tree {
namespace {

using testing::ElementsAre;

class WalkTest : public testing::Test {
 protected:
  WalkTest() {
    for (const char* path : {"/", "/b", "/b/d", "/b/c", "/b/c/e", "/a", "/b2"}) {
      tree_.PutNode(path, codec::EncodeNode({}));
    }
  }
  // What is seen from `top` on, where `step` says what comes after a path.
  template <class Steps>
  bool See(const std::string& top, Steps step) {
    seen_.clear();
    return Walk(*tree_.Find(top), top,
                [&](const Node& node, const std::string& path, size_t depth) {
                  EXPECT_EQ(&node, tree_.Find(path));
                  seen_.push_back(absl::StrCat(depth, " ", path));
                  return step(path);
                });
  }

  Tree tree_;
  std::vector<std::string> seen_;
};

TEST_F(WalkTest, ParentsComeBeforeTheirChildrenAndThoseByName) {
  EXPECT_TRUE(See("/", [](const std::string&) { return Step::kInto; }));
  EXPECT_THAT(seen_, ElementsAre("0 /", "1 /a", "1 /b", "2 /b/c", "3 /b/c/e", "2 /b/d", "1 /b2"));
}

TEST_F(WalkTest, ASubtreeEndsWhereItEnds) {
  EXPECT_TRUE(See("/b", [](const std::string&) { return Step::kInto; }));
  EXPECT_THAT(seen_, ElementsAre("0 /b", "1 /b/c", "2 /b/c/e", "1 /b/d"));
}

TEST_F(WalkTest, WhatIsBelowIsLeftOut) {
  EXPECT_TRUE(
      See("/", [](const std::string& path) { return path == "/b/c" ? Step::kOver : Step::kInto; }));
  EXPECT_THAT(seen_, ElementsAre("0 /", "1 /a", "1 /b", "2 /b/c", "2 /b/d", "1 /b2"));
}

TEST_F(WalkTest, NothingComesAfterAStop) {
  EXPECT_FALSE(
      See("/", [](const std::string& path) { return path == "/b/c" ? Step::kStop : Step::kInto; }));
  EXPECT_THAT(seen_, ElementsAre("0 /", "1 /a", "1 /b", "2 /b/c"));
}

}  // namespace
}  // namespace pando::tree
