// What ZooKeeper's clients ask; the other queries are in machine_test.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::NodeKind;
using model::Reason;
using model::Reply;

class QueryTest : public testing::Test {
 protected:
  QueryTest() { Do(model::Found{model::ClusterId(1)}); }

  Reply Do(model::CommandBody body) {
    model::Command command;
    command.identities = identities_;
    command.session = session_;
    command.body = std::move(body);
    return machine_.Apply(model::Revision(++revision_), command).reply;
  }
  void Create(std::string path, model::NodeBytes data = "", model::Create with = {}) {
    with.path = std::move(path);
    with.data = std::move(data);
    ASSERT_TRUE(Do(std::move(with)).ok());
  }
  model::SessionId Open() {
    const Reply reply = Do(model::OpenSession{10'000, std::string(32, 't')});
    return std::get<model::SessionResult>(reply.result).session;
  }
  Reply Ask(model::QueryBody body) const {
    return machine_.Query({.identities = identities_, .body = std::move(body)});
  }
  model::Stat StatOf(const std::string& path) const {
    return std::get<model::OperationResult>(Ask(model::Get{path}).result).stat;
  }

  const std::vector<model::Identity> identities_ = {{"super", ""}};
  Machine machine_;
  uint64_t revision_ = 0;
  model::SessionId session_;
};

TEST_F(QueryTest, NamesHaveNoPages) {
  const size_t children = model::kListPageMax + 2;
  for (size_t i = 0; i < children; ++i) Create("/n", "", {.sequential = true});
  const Reply reply = Ask(model::ListNames{"/"});
  const auto& result = std::get<model::NamesResult>(reply.result);
  ASSERT_EQ(result.names.size(), children);
  EXPECT_EQ(result.names.front(), "n0000000000");
  EXPECT_EQ(result.parent.children_count, static_cast<int64_t>(children));
  EXPECT_EQ(Ask(model::ListNames{"/none"}).error.reason, Reason::kNoNode);
}

TEST_F(QueryTest, DescendantsAreCountedWithoutTheNodeItself) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/ab"}) Create(path);
  const auto count = [&](const char* path) {
    return std::get<model::CountResult>(Ask(model::CountDescendants{path}).result).nodes;
  };
  EXPECT_EQ(count("/a"), 3);
  EXPECT_EQ(count("/a/d"), 0);
  EXPECT_EQ(count("/"), 5);
}

TEST_F(QueryTest, EphemeralsOfASessionByThePrefixOfTheirPaths) {
  session_ = Open();
  for (const char* path : {"/a", "/ab", "/b"}) Create(path, "", {.kind = NodeKind::kEphemeral});
  const auto list = [&](model::SessionId session, const char* prefix) {
    const Reply reply = Ask(model::ListEphemerals{session, prefix});
    return std::get<model::NamesResult>(reply.result).names;
  };
  EXPECT_EQ(list(session_, "/"), (std::vector<std::string>{"/a", "/ab", "/b"}));
  EXPECT_EQ(list(session_, "/a"), (std::vector<std::string>{"/a", "/ab"}));
  EXPECT_EQ(list(session_, "no path"), std::vector<std::string>{});
  EXPECT_EQ(list(model::SessionId(99), "/"), std::vector<std::string>{});
}

TEST_F(QueryTest, AProbeTellsWhatIsThere) {
  Create("/a", "data");
  const Reply reply = Ask(model::Probe{{"/a", "/none", "no path", ""}});
  const auto& stats = std::get<model::StatsResult>(reply.result).stats;
  ASSERT_EQ(stats.size(), 4u);
  EXPECT_EQ(stats[0], StatOf("/a"));
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(stats[i], std::nullopt) << i;
}

// A client that watched a node before it was closed to it is not told that the node is gone.
TEST_F(QueryTest, AProbeAsksForNoPermission) {
  Create("/a", "data", {.acl = {{0, {"world", "anyone"}}}});
  const Reply reply = machine_.Query({.identities = {}, .body = model::Probe{{"/a"}}});
  EXPECT_TRUE(std::get<model::StatsResult>(reply.result).stats[0]);
}

}  // namespace
}  // namespace pando::machine
