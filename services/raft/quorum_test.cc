#include "raft/quorum.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace pando::raft {
namespace {

TEST(Quorum, TwoMajoritiesHaveOneInCommon) {
  const size_t cases[][2] = {{1, 1}, {2, 2}, {3, 2}, {4, 3}, {5, 3}, {6, 4}, {7, 4}};
  for (const auto& [voters, majority] : cases) EXPECT_EQ(Majority(voters), majority) << voters;
  for (size_t voters = 1; voters < 100; ++voters) {
    EXPECT_GT(2 * Majority(voters), voters);
    // Also of an ensemble and one that has a voter more: the rule of one change at a time.
    EXPECT_GT(Majority(voters) + Majority(voters + 1), voters + 1);
  }
}

TEST(Quorum, TheLargestValueThatAMajorityHasReached) {
  const struct {
    std::vector<uint64_t> values;
    uint64_t reached;
  } cases[] = {{{7}, 7},          {{7, 3}, 3},       {{7, 3, 5}, 5},      {{0, 0, 9}, 0},
               {{9, 9, 0}, 9},    {{4, 3, 2, 1}, 2}, {{5, 5, 5, 0}, 5},   {{1, 2, 3, 4, 5}, 3},
               {{8, 8, 8, 8}, 8}, {{1, 9, 9}, 9},    {{0, 7, 7, 0, 7}, 7}};
  for (const auto& c : cases) {
    EXPECT_EQ(ReachedByMajority(c.values), c.reached) << testing::PrintToString(c.values);
  }
}

TEST(Quorum, NobodyHasReachedNothing) {
  EXPECT_DEATH(ReachedByMajority(std::vector<uint64_t>()), "");
}

}  // namespace
}  // namespace pando::raft
