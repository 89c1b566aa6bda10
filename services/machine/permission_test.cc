// Who may do what: every operation against every permission of the node and of its parent, alone
// and inside a transaction.
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "acl/needs.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace pando::machine {
namespace {

using model::Acl;
using model::Reason;
using model::Reply;
using Identities = std::vector<model::Identity>;

const model::Identity kAnn = {"digest", "ann:hash"};
const model::Identity kBob = {"digest", "bob:hash"};
const Identities kRoot = {{"super", ""}};

// Bob's alone is what nobody else may do; an ACL is never empty.
Acl OfAnn(uint32_t permissions) {
  Acl acl = {{model::kAllPermissions, kBob}};
  if (permissions != 0) acl.push_back({permissions, kAnn});
  return acl;
}

class PermissionTest : public testing::Test {
 protected:
  PermissionTest() { Do(model::Found{model::ClusterId(5)}, {}); }

  Reply Do(model::CommandBody body, Identities as) {
    model::Command command;
    command.identities = std::move(as);
    command.body = std::move(body);
    return machine_.Apply(model::Revision(++revision_), command).reply;
  }
  Reply Ask(model::QueryBody body, Identities as) {
    return machine_.Query({.identities = std::move(as), .body = std::move(body)});
  }
  void Create(const std::string& path, Acl acl) {
    ASSERT_TRUE(Do(model::Create{.path = path, .data = "data", .acl = std::move(acl)}, kRoot).ok());
  }
  void SetAcl(const std::string& path, Acl acl) {
    ASSERT_TRUE(Do(model::SetAcl{.path = path, .acl = std::move(acl)}, kRoot).ok());
  }

  // Whether Ann may, with these permissions on /p and on /p/n; everything is undone.
  bool AnnMay(uint32_t on_parent, uint32_t on_node, const std::function<Reply(Identities)>& act) {
    Do(model::Delete{.path = "/p", .recursive = true}, kRoot);
    Create("/p", OfAnn(on_parent));
    Create("/p/n", OfAnn(on_node));
    const Reply reply = act({kAnn});
    EXPECT_TRUE(reply.ok() || reply.error.reason == Reason::kPermissionDenied);
    EXPECT_TRUE(reply.ok() || act(kRoot).ok());
    return reply.ok();
  }
  void ExpectNeed(const acl::Need& need, const std::function<Reply(Identities)>& act) {
    for (uint32_t on_parent = 0; on_parent <= model::kAllPermissions; ++on_parent) {
      for (uint32_t on_node = 0; on_node <= model::kAllPermissions; ++on_node) {
        const uint32_t has = need.of == acl::Need::Of::kNode ? on_node : on_parent;
        EXPECT_EQ(AnnMay(on_parent, on_node, act), (has & need.permissions) != 0)
            << "parent " << on_parent << ", node " << on_node;
      }
    }
  }
  void ExpectNeedInTransaction(const model::Operation& operation) {
    model::Transaction transaction;
    transaction.then_operations = {operation};
    const acl::Need need = std::visit([](const auto& o) { return acl::Needs(o); }, operation);
    ExpectNeed(need, [&](Identities as) { return Do(transaction, std::move(as)); });
  }

  Machine machine_;
  uint64_t revision_ = 0;
};

// One of each alternative of model::Operation.
std::vector<model::Operation> EveryOperation() {
  return {model::Create{.path = "/p/new"},
          model::Set{.path = "/p/n", .data = "new"},
          model::Delete{.path = "/p/n"},
          model::SetAcl{.path = "/p/n", .acl = OfAnn(model::kRead)},
          model::Check{.path = "/p/n"},
          model::Get{.path = "/p/n"},
          model::CheckAbsent{.path = "/p/n", .expected_version = 1}};
}

TEST_F(PermissionTest, AWriteNeedsWhatTheTableSays) {
  for (const model::Operation& operation : EveryOperation()) {
    std::visit(
        [&](const auto& o) {
          if constexpr (std::is_constructible_v<model::CommandBody, decltype(o)>) {
            SCOPED_TRACE(operation.index());
            ExpectNeed(acl::Needs(o), [&](Identities as) { return Do(o, std::move(as)); });
          }
        },
        operation);
  }
}

TEST_F(PermissionTest, InATransactionItNeedsTheSame) {
  ASSERT_EQ(EveryOperation().size(), std::variant_size_v<model::Operation>);
  for (const model::Operation& operation : EveryOperation()) {
    SCOPED_TRACE(operation.index());
    ExpectNeedInTransaction(operation);
  }
}

TEST_F(PermissionTest, AReadNeedsWhatTheTableSays) {
  const auto expect = [this](const auto& body) {
    ExpectNeed(acl::Needs(body), [&](Identities as) { return Ask(body, std::move(as)); });
  };
  expect(model::Get{.path = "/p/n"});
  expect(model::List{.path = "/p/n"});
  expect(model::Walk{.path = "/p/n"});
  expect(model::GetAcl{.path = "/p/n"});
  expect(model::ListNames{.path = "/p/n"});
  expect(model::CountDescendants{.path = "/p/n"});
}

TEST_F(PermissionTest, ACompareReadsItsNode) {
  model::Transaction transaction;
  transaction.compares = {{.path = "/p/n", .number = 1}};
  ExpectNeed(acl::Needs(transaction.compares[0]),
             [&](Identities as) { return Do(transaction, std::move(as)); });
  // Of one that is not there nothing can be told but that.
  transaction.compares = {{.path = "/p/gone", .number = 0}};
  EXPECT_TRUE(Do(transaction, {kAnn}).ok());
}

// What is not there is told before who may do it, as ZooKeeper has it: of the node that decides.
TEST_F(PermissionTest, AMissingNodeIsMissingForEverybody) {
  Create("/p", OfAnn(0));
  EXPECT_EQ(Do(model::Set{.path = "/p/n"}, {kAnn}).error.reason, Reason::kNoNode);
  EXPECT_EQ(Do(model::Delete{.path = "/none/n"}, {kAnn}).error.reason, Reason::kNoNode);
  EXPECT_EQ(Do(model::Delete{.path = "/p/n"}, {kAnn}).error.reason, Reason::kPermissionDenied);
  EXPECT_EQ(Ask(model::Get{.path = "/p/n"}, {kAnn}).error.reason, Reason::kNoNode);
  // But whether a name is free is told only to whoever may take it.
  Create("/p/n", OfAnn(0));
  EXPECT_EQ(Do(model::Create{.path = "/p/n"}, {kAnn}).error.reason, Reason::kPermissionDenied);
}

TEST_F(PermissionTest, TheErrorNamesTheNodeThatDenies) {
  Create("/p", OfAnn(model::kRead));
  Create("/p/n", OfAnn(model::kRead));
  EXPECT_EQ(Do(model::Delete{.path = "/p/n"}, {kAnn}).error.path, "/p");
  EXPECT_EQ(Do(model::Set{.path = "/p/n"}, {kAnn}).error.path, "/p/n");
}

TEST_F(PermissionTest, ARecursiveDeleteNeedsDeleteWhereverItDeletes) {
  Create("/p", OfAnn(model::kDelete));
  Create("/p/n", OfAnn(0));  // its parent decides
  const model::Delete everything{.path = "/p/n", .recursive = true};
  Create("/p/n/below", OfAnn(model::kAllPermissions));
  EXPECT_EQ(Do(everything, {kAnn}).error.path, "/p/n");
  EXPECT_TRUE(Ask(model::Get{.path = "/p/n/below"}, {kAnn}).ok());
  SetAcl("/p/n", OfAnn(model::kDelete));
  EXPECT_TRUE(Do(everything, {kAnn}).ok());
}

TEST_F(PermissionTest, ARecursiveSetAclNeedsAdminEverywhere) {
  Create("/p", OfAnn(model::kAdmin));
  Create("/p/n", OfAnn(model::kRead));
  const model::SetAcl all{.path = "/p", .acl = {{model::kRead, {"auth", ""}}}, .recursive = true};
  EXPECT_EQ(Do(all, {kAnn}).error.path, "/p/n");
  SetAcl("/p/n", OfAnn(model::kAdmin));
  EXPECT_TRUE(Do(all, {kAnn}).ok());
  const Reply got = Ask(model::GetAcl{"/p/n"}, kRoot);
  EXPECT_EQ(std::get<model::AclResult>(got.result).acl, (Acl{{model::kRead, kAnn}}));
}

TEST_F(PermissionTest, ParentsThatAreMadeNeedCreateOnTheFirstThatIsThere) {
  Create("/p", OfAnn(model::kCreate));
  EXPECT_TRUE(
      Do(model::Create{.path = "/p/a/b", .acl = OfAnn(0), .create_parents = true}, {kAnn}).ok());
  EXPECT_EQ(Do(model::Create{.path = "/p/a/c/d", .create_parents = true}, {kAnn}).error.path,
            "/p/a");
}

TEST_F(PermissionTest, HashesAreShownToWhoeverMayAdminister) {
  Create("/p", OfAnn(model::kRead));
  const auto shown = [this](Identities as) {
    const Reply reply = Ask(model::GetAcl{"/p"}, std::move(as));
    return std::get<model::AclResult>(reply.result).acl[1].identity.id;
  };
  EXPECT_EQ(shown({kAnn}), "ann:x");
  EXPECT_EQ(shown({kBob}), "ann:hash");
  EXPECT_EQ(shown(kRoot), "ann:hash");
}

TEST_F(PermissionTest, AListNamesAllAndTellsOfThoseThatMayBeRead) {
  Create("/p", OfAnn(model::kRead));
  Create("/p/hers", OfAnn(model::kRead));
  Create("/p/his", OfAnn(0));
  const Reply reply = Ask(model::List{.path = "/p", .with_stat = true, .with_data = true}, {kAnn});
  const auto& children = std::get<model::ListResult>(reply.result).children;
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(children[0].data, "data");
  EXPECT_TRUE(children[0].stat);
  EXPECT_EQ(children[1].name, "his");
  EXPECT_FALSE(children[1].data);
  EXPECT_FALSE(children[1].stat);
}

TEST_F(PermissionTest, AWalkLeavesOutEachNodeThatMayNotBeRead) {
  Create("/p", OfAnn(model::kRead));
  Create("/p/hers", OfAnn(model::kRead));
  Create("/p/his", OfAnn(0));
  Create("/p/his/hers", OfAnn(model::kRead));
  const Reply reply = Ask(model::Walk{.path = "/p"}, {kAnn});
  std::vector<std::string> paths;
  for (const auto& node : std::get<model::WalkResult>(reply.result).nodes) {
    paths.push_back(node.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"/p", "/p/hers", "/p/his/hers"}));
}

}  // namespace
}  // namespace pando::machine
