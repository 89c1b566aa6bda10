#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "acl/permission.h"
#include "acl/scheme.h"
#include "codec/record.h"
#include "machine/machine.h"
#include "model/config_text.h"
#include "model/zookeeper.h"

namespace pando::machine {
namespace {

using model::Member;
using model::Revision;
using model::ServerId;

model::Membership TwoMembers() {
  return {.members = {{.id = ServerId(1),
                       .peer_address = "a.example:7401",
                       .zookeeper_address = "a.example:7403"},
                      {.id = ServerId(10),
                       .role = Member::Role::kLearner,
                       .peer_address = "[::1]:7411",
                       .zookeeper_address = "[::1]:7413"}}};
}

class ConfigNode : public testing::Test {
 protected:
  ConfigNode() { Do(model::Found{model::ClusterId(1)}); }

  Applied Do(model::CommandBody body, model::Identity identity = acl::kSuper) {
    const model::Command command{
        .stamp = {100}, .identities = {std::move(identity)}, .body = std::move(body)};
    return machine_.Apply(Revision(++revision_), command);
  }
  Applied Adopt(const model::Membership& membership) {
    return machine_.ApplyMembership(Revision(++revision_), membership);
  }
  void MakeNode() {
    for (const char* path : {model::kZooKeeperPath, model::kConfigPath}) {
      Do(model::Create{.path = path, .data = "whatever a client says"});
    }
  }
  model::OperationResult Node() const {
    const model::Reply reply = machine_.Query({.body = model::Get{model::kConfigPath}});
    return reply.ok() ? std::get<model::OperationResult>(reply.result) : model::OperationResult();
  }
  std::string TextNow(const model::Membership& membership) const {
    return model::ConfigText(membership, Revision(revision_));
  }

  Machine machine_;
  uint64_t revision_ = 0;
};

TEST_F(ConfigNode, HoldsTheMembershipThatItFinds) {
  Adopt(TwoMembers());
  MakeNode();
  EXPECT_EQ(Node().data, TextNow(TwoMembers()));
  EXPECT_EQ(Node().stat.version, 0);
}

TEST_F(ConfigNode, FollowsTheMembershipAndTells) {
  MakeNode();
  EXPECT_EQ(Node().data, TextNow({}));
  const Applied applied = Adopt(TwoMembers());
  EXPECT_EQ(Node().data, TextNow(TwoMembers()));
  EXPECT_EQ(Node().stat.version, 1);
  EXPECT_EQ(Node().stat.modify_revision, Revision(revision_));
  EXPECT_EQ(Node().stat.mtime.ms, 100);
  ASSERT_NE(applied.changes, nullptr);
  ASSERT_EQ(applied.changes->changes.size(), 1u);
  const model::Change& change = applied.changes->changes[0];
  EXPECT_EQ(change.kind, model::ChangeKind::kDataChanged);
  EXPECT_EQ(change.path, model::kConfigPath);
  EXPECT_EQ(change.data, Node().data);
}

TEST_F(ConfigNode, CannotBeMadeToLie) {
  Adopt(TwoMembers());
  MakeNode();
  EXPECT_TRUE(Do(model::Set{.path = model::kConfigPath, .data = "server.1=evil"}).reply.ok());
  EXPECT_EQ(Node().data, TextNow(TwoMembers()));
  EXPECT_EQ(Node().stat.version, 1);
}

// Whoever could would have a right of his own in its ACL: to change the members.
TEST_F(ConfigNode, OnlyTheSuperuserMakesAndRemovesIt) {
  const auto refused = [this](model::CommandBody body) {
    return Do(std::move(body), acl::kAnyone).reply.error.reason == model::Reason::kPermissionDenied;
  };
  const std::string below = std::string(model::kConfigPath) + "/below";
  EXPECT_TRUE(Do(model::Create{.path = model::kZooKeeperPath}, acl::kAnyone).reply.ok());
  EXPECT_TRUE(refused(model::Create{.path = model::kConfigPath}));
  EXPECT_TRUE(refused(model::Create{.path = below, .create_parents = true}));
  EXPECT_TRUE(Do(model::Create{.path = model::kConfigPath}).reply.ok());
  EXPECT_TRUE(refused(model::Delete{.path = model::kConfigPath}));
  EXPECT_TRUE(refused(model::Delete{.path = model::kZooKeeperPath, .recursive = true}));
  EXPECT_TRUE(Do(model::Delete{.path = model::kZooKeeperPath, .recursive = true}).reply.ok());
}

// Those of a backup have nothing to do with the ensemble that begins with it.
TEST_F(ConfigNode, AnotherEnsembleIsNotToldOfTheOldMembers) {
  MakeNode();
  Adopt(TwoMembers());
  const Applied applied = machine_.BeginAnew(Revision(++revision_), 77);
  EXPECT_EQ(Node().data, TextNow({}));
  EXPECT_TRUE(machine_.membership().members.empty());
  // No record of theirs is left, whatever was there.
  std::map<std::string, std::optional<std::string>> last;
  for (const model::RecordWrite& write : applied.delta.writes) last[write.key] = write.value;
  EXPECT_EQ(last.at(codec::ScalarKey(codec::kMembershipScalar)), std::nullopt);
  Adopt(TwoMembers());
  EXPECT_EQ(Node().data, TextNow(TwoMembers()));
}

TEST_F(ConfigNode, ThereIsNoneAsLongAsNobodySpeaksZooKeeper) {
  EXPECT_EQ(Adopt(TwoMembers()).changes, nullptr);
  EXPECT_EQ(Node().data, std::nullopt);
}

}  // namespace
}  // namespace pando::machine
