// What the machine does for ClickHouse Keeper's requests, which ZooKeeper does not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::Reason;
using testing::ElementsAre;

class KeeperOperations : public testing::Test {
 protected:
  KeeperOperations() { Do(model::Found{model::ClusterId(1)}); }

  model::Reply Do(model::CommandBody body, std::vector<model::Identity> who = {{"super", ""}}) {
    model::Command command{.identities = std::move(who), .session = session_};
    command.body = std::move(body);
    return machine_.Apply(model::Revision(++revision_), command).reply;
  }
  Reason CheckAbsent(const std::string& path, std::optional<int64_t> version = {},
                     std::vector<model::Identity> who = {{"super", ""}}) {
    model::Transaction transaction;
    transaction.then_operations.emplace_back(model::CheckAbsent{path, version});
    return Do(transaction, std::move(who)).error.reason;
  }
  Reason Delete(const std::string& path, uint32_t nodes_max) {
    return Do(model::Delete{.path = path, .recursive = true, .nodes_max = nodes_max}).error.reason;
  }
  std::vector<std::string> Names(model::ListNames::Only only) {
    const model::Reply reply = machine_.Query({.body = model::ListNames{"/", only}});
    return std::get<model::NamesResult>(reply.result).names;
  }

  Machine machine_;
  uint64_t revision_ = 0;
  model::SessionId session_;
};

TEST_F(KeeperOperations, ANodeThatMustNotBeThere) {
  EXPECT_EQ(CheckAbsent("/a"), Reason::kOk);
  EXPECT_EQ(CheckAbsent("/a", 0), Reason::kOk);
  Do(model::Create{.path = "/a", .acl = {{model::kRead, {"ip", "10.0.0.1"}}}});
  EXPECT_EQ(CheckAbsent("/a"), Reason::kNodeExists);
  EXPECT_EQ(CheckAbsent("/a", 0), Reason::kNodeExists);
  EXPECT_EQ(CheckAbsent("/a", 1), Reason::kOk) << "it may be there at another version";
  EXPECT_EQ(CheckAbsent("/a", {}, {}), Reason::kPermissionDenied);
  EXPECT_EQ(CheckAbsent("a"), Reason::kInvalidPath);
  EXPECT_EQ(CheckAbsent("/a", -5), Reason::kInvalidArgument);
}

TEST_F(KeeperOperations, ASubtreeIsRemovedUpToItsLimit) {
  for (const char* path : {"/a", "/a/b", "/a/b/c"}) Do(model::Create{.path = path});
  EXPECT_EQ(Delete("/a", 2), Reason::kNotEmpty);
  EXPECT_TRUE(machine_.MayRead({}, "/a/b/c")) << "nothing of it";
  EXPECT_EQ(Delete("/a", 3), Reason::kOk);
  EXPECT_FALSE(machine_.MayRead({}, "/a"));
  EXPECT_EQ(Delete("/a", 3), Reason::kNoNode);
  Do(model::Create{.path = "/a"});
  EXPECT_EQ(Delete("/a", 1), Reason::kOk) << "the last that fits";
}

// A limit above Pando's own is no way around that.
TEST_F(KeeperOperations, NoSubtreeIsTooLargeForTheMachine) {
  Do(model::Create{.path = "/a"});
  for (size_t i = 0; i < model::kRecursiveNodesMax; ++i) {
    Do(model::Create{.path = "/a/" + std::to_string(i)});
  }
  EXPECT_EQ(Delete("/a", ~uint32_t{0}), Reason::kNotEmpty);
  EXPECT_EQ(Delete("/a", 0), Reason::kTooLarge);
  EXPECT_EQ(Delete("/a/0", 1), Reason::kOk);
  EXPECT_EQ(Delete("/a", ~uint32_t{0}), Reason::kOk);
}

TEST_F(KeeperOperations, ChildrenOfOneKind) {
  const model::Reply opened = Do(model::OpenSession{5'000, std::string(32, 't')});
  session_ = std::get<model::SessionResult>(opened.result).session;
  Do(model::Create{.path = "/persistent"});
  Do(model::Create{.path = "/container", .kind = model::NodeKind::kContainer});
  Do(model::Create{.path = "/ephemeral", .kind = model::NodeKind::kEphemeral});
  using Only = model::ListNames::Only;
  EXPECT_THAT(Names(Only::kAll), ElementsAre("container", "ephemeral", "persistent"));
  EXPECT_THAT(Names(Only::kPersistent), ElementsAre("container", "persistent"));
  EXPECT_THAT(Names(Only::kEphemeral), ElementsAre("ephemeral"));
}

}  // namespace
}  // namespace pando::machine
