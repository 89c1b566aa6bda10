#include "bench/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace pando::load {
namespace {

using ::testing::ElementsAre;

Operation Made(const Workload& workload, uint64_t number) {
  Operation operation;
  workload.Make(number, &operation);
  return operation;
}

// Paths of all operations of a workload that has an end.
std::vector<std::string> AllPaths(const Workload& workload) {
  std::vector<std::string> paths;
  for (uint64_t number = 0; number < workload.size(); ++number) {
    paths.push_back(Made(workload, number).path());
  }
  return paths;
}

TEST(Workload, TheWayToTheNodesIsMadeFromTheTop) {
  EXPECT_THAT(AllPaths(Workload(Workload::Kind::kAncestors, {.root = "/a/b/c"})),
              ElementsAre("/a", "/a/b", "/a/b/c"));
  EXPECT_THAT(AllPaths(Workload(Workload::Kind::kDirectories, {.root = "/a", .nodes = 201})),
              ElementsAre("/a/000000", "/a/000001", "/a/000002"));
}

TEST(Workload, CreateMakesEachNodeOnceInADirectory) {
  const Workload::Options options{.root = "/a", .nodes = 250};
  const std::vector<std::string> paths = AllPaths(Workload(Workload::Kind::kCreate, options));
  EXPECT_EQ(paths.front(), "/a/000000/00");
  EXPECT_EQ(paths.back(), "/a/000002/49");
  const std::set<std::string> nodes(paths.begin(), paths.end());
  EXPECT_EQ(nodes.size(), 250u);
  const std::vector<std::string> made = AllPaths(Workload(Workload::Kind::kDirectories, options));
  const std::set<std::string> directories(made.begin(), made.end());
  for (const std::string& path : nodes) {
    EXPECT_TRUE(directories.contains(path.substr(0, path.rfind('/')))) << path;
  }
}

TEST(Workload, ReadsAndWritesReachEveryNodeAndNoOther) {
  const Workload::Options options{.root = "/a", .nodes = 150};
  const std::vector<std::string> made = AllPaths(Workload(Workload::Kind::kCreate, options));
  const std::set<std::string> nodes(made.begin(), made.end());
  for (const auto kind : {Workload::Kind::kGet, Workload::Kind::kSet, Workload::Kind::kMixed,
                          Workload::Kind::kMulti}) {
    const Workload workload(kind, options);
    std::set<std::string> reached;
    for (uint64_t number = 0; number < 5'000; ++number) {
      const Operation operation = Made(workload, number);
      reached.insert(operation.paths.begin(), operation.paths.end());
    }
    EXPECT_EQ(reached, nodes);
  }
}

TEST(Workload, AnOperationIsTheSameWheneverItIsMade) {
  const Workload workload(Workload::Kind::kMixed, {});
  Operation used;
  workload.Make(7, &used);
  for (uint64_t number = 0; number < 100; ++number) {
    workload.Make(number, &used);
    const Operation fresh = Made(workload, number);
    EXPECT_EQ(used.kind, fresh.kind);
    EXPECT_EQ(used.paths, fresh.paths);
    EXPECT_EQ(used.data, fresh.data);
  }
}

TEST(Workload, MixedHasEightGetsForTwoSets) {
  const Workload workload(Workload::Kind::kMixed, {});
  int gets = 0;
  for (uint64_t number = 0; number < 10'000; ++number) {
    gets += Made(workload, number).kind == Operation::Kind::kGet;
  }
  EXPECT_NEAR(gets, 8'000, 150);
}

TEST(Workload, AMultiSetsNoNodeTwice) {
  const Workload workload(Workload::Kind::kMulti, {.nodes = 10, .multi_writes = 10});
  for (uint64_t number = 0; number < 100; ++number) {
    const Operation operation = Made(workload, number);
    EXPECT_EQ(std::set<std::string>(operation.paths.begin(), operation.paths.end()).size(), 10u);
  }
}

TEST(Workload, SessionsHaveNodesOfTheirOwn) {
  const Workload workload(Workload::Kind::kSession, {.root = "/a", .run = "x"});
  EXPECT_EQ(Made(workload, 3).path(), "/a/session-x-3");
  EXPECT_NE(Made(workload, 4).path(), Made(workload, 3).path());
}

TEST(Workload, DataHasTheBytesThatWereAskedForAndDiffers) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{100}, size_t{100'000}}) {
    const Workload workload(Workload::Kind::kSet, {.data_bytes = bytes});
    EXPECT_EQ(Made(workload, 1).data.size(), bytes);
  }
  const Workload workload(Workload::Kind::kSet, {});
  EXPECT_NE(Made(workload, 1).data, Made(workload, 2).data);
}

}  // namespace
}  // namespace pando::load
