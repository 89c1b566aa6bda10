// Creates, sets, deletes and transactions.
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/testing/machine_fixture.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::NodeKind;
using model::Reason;
using model::Reply;

using WritesTest = MachineFixture;

// --- Create -----------------------------------------------------------------------------------

TEST_F(WritesTest, CreateMakesANodeAndCountsItAtItsParent) {
  EXPECT_EQ(Create("/a", "data"), Reason::kOk);
  EXPECT_EQ(changes_, Changes{"created /a"});
  EXPECT_EQ(Data("/a"), "data");
  model::Stat expected;
  expected.create_revision = expected.modify_revision = expected.children_revision =
      model::Revision(revision_);
  expected.ctime = expected.mtime = {1'000};
  expected.data_length = 4;
  EXPECT_EQ(StatOf("/a"), expected);
  EXPECT_EQ(StatOf("/").children_count, 1);
  EXPECT_EQ(StatOf("/").children_version, 1);
  EXPECT_EQ(StatOf("/").children_revision, model::Revision(revision_));
}

TEST_F(WritesTest, NullDataIsNotEmptyData) {
  Create("/null", std::nullopt);
  Create("/empty", "");
  EXPECT_EQ(Data("/null"), std::nullopt);
  EXPECT_EQ(Data("/empty"), "");
  EXPECT_EQ(StatOf("/null").data_length, 0);
}

// Part of the disk format: what was stored with a digest has it for ever.
TEST_F(WritesTest, ARefusedCreateNamesTheNodeThatItWasToMake) {
  session_ = Open();
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  for (const std::string path : {"/no/parent", "/e/child"}) {
    EXPECT_EQ(Do(model::Create{.path = path}).error.path, path);
  }
}

TEST_F(WritesTest, CreateRefusesWhatZooKeeperRefuses) {
  session_ = Open();
  Create("/a");
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  EXPECT_EQ(Create("/a"), Reason::kNodeExists);
  EXPECT_EQ(Create("/no/parent"), Reason::kNoParent);
  EXPECT_EQ(Create("/e/child"), Reason::kNoChildrenForEphemerals);
  EXPECT_EQ(Create("a"), Reason::kInvalidPath);
  EXPECT_EQ(Create("/a/"), Reason::kInvalidPath);
  EXPECT_EQ(Create("/"), Reason::kNodeExists);
  EXPECT_EQ(Create("/t", "", {.kind = NodeKind::kTtl}), Reason::kInvalidArgument);
  EXPECT_EQ(Create("/t", "", {.ttl_ms = 5}), Reason::kInvalidArgument);
  EXPECT_EQ(Create("/t", "", {.kind = NodeKind::kTtl, .ttl_ms = model::kTtlMsMax + 1}),
            Reason::kInvalidArgument);
  EXPECT_EQ(Create("/t", std::string(model::kValueBytesHardMax + 1, 'x')), Reason::kTooLarge);
  EXPECT_EQ(changes_, Changes{});
  EXPECT_EQ(Create("/t", std::string(model::kValueBytesHardMax, 'x')), Reason::kOk);
  session_ = {};
  EXPECT_EQ(Create("/e2", "", {.kind = NodeKind::kEphemeral}), Reason::kInvalidArgument);
}

TEST_F(WritesTest, SequenceCountsEveryCreateAndNoDelete) {
  Create("/q");
  EXPECT_EQ(Create("/q/n-", "", {.sequential = true}), Reason::kOk);
  EXPECT_EQ(created_, "/q/n-0000000000");
  Create("/q/plain");
  Delete("/q/plain");
  Create("/q/", "", {.sequential = true});
  EXPECT_EQ(created_, "/q/0000000002");
  EXPECT_EQ(StatOf("/q").children_version, 4);
  EXPECT_EQ(StatOf("/q").children_count, 2);
}

TEST_F(WritesTest, ASequenceNumberThatIsTakenIsRefused) {
  Create("/q");
  Create("/q/n0000000001");
  EXPECT_EQ(Create("/q/n", "", {.sequential = true}), Reason::kNodeExists);
  EXPECT_EQ(Create("/q/m", "", {.sequential = true}), Reason::kOk);
}

TEST_F(WritesTest, CreateParentsMakesWhatIsMissing) {
  EXPECT_EQ(Create("/a/b/c", "x", {.create_parents = true}), Reason::kOk);
  EXPECT_EQ(changes_, (Changes{"created /a", "created /a/b", "created /a/b/c"}));
  EXPECT_EQ(Data("/a/b"), std::nullopt);
  EXPECT_EQ(Create("/x/", "x", {.sequential = true, .create_parents = true}), Reason::kOk);
  EXPECT_EQ(created_, "/x/0000000000");
  session_ = Open();
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  EXPECT_EQ(Create("/e/b/c", "", {.create_parents = true}), Reason::kNoChildrenForEphemerals);
}

TEST_F(WritesTest, IfNotExistsLeavesWhatIsThere) {
  Create("/a", "old");
  const Reply reply = Do(model::Create{.path = "/a", .data = "new", .if_not_exists = true});
  EXPECT_TRUE(reply.ok());
  EXPECT_TRUE(std::get<model::OperationResult>(reply.result).existed);
  EXPECT_EQ(Data("/a"), "old");
  EXPECT_EQ(changes_, Changes{});
}

// --- Set, Delete, SetAcl ----------------------------------------------------------------------

TEST_F(WritesTest, SetRaisesTheVersionAndLeavesTheParentAlone) {
  Create("/a", "1");
  const model::Stat root = StatOf("/");
  stamp_ = 2'000;
  EXPECT_EQ(Set("/a", "22"), Reason::kOk);
  EXPECT_EQ(changes_, Changes{"data /a"});
  EXPECT_EQ(StatOf("/a").version, 1);
  EXPECT_EQ(StatOf("/a").mtime.ms, 2'000);
  EXPECT_EQ(StatOf("/a").ctime.ms, 1'000);
  EXPECT_EQ(StatOf("/a").modify_revision, model::Revision(revision_));
  EXPECT_EQ(StatOf("/"), root);
  EXPECT_EQ(Set("/a", "22", 1), Reason::kOk);
  EXPECT_EQ(Set("/a", "22", 1), Reason::kBadVersion);
  EXPECT_EQ(Set("/a", "22", -1), Reason::kInvalidArgument);
  EXPECT_EQ(Set("/none", "22"), Reason::kNoNode);
  EXPECT_EQ(Data("/a"), "22");
}

TEST_F(WritesTest, ABadVersionSaysBoth) {
  Create("/a");
  const Reply reply = Do(model::Set{"/a", "", 7});
  EXPECT_EQ(reply.error.expected, 7);
  EXPECT_EQ(reply.error.actual, 0);
  EXPECT_EQ(reply.error.path, "/a");
}

TEST_F(WritesTest, DeleteRefusesANodeWithChildren) {
  Create("/a");
  Create("/a/b");
  EXPECT_EQ(Delete("/a"), Reason::kNotEmpty);
  EXPECT_EQ(Delete("/a/b", 1), Reason::kBadVersion);
  EXPECT_EQ(Delete("/a/b", 0), Reason::kOk);
  EXPECT_EQ(changes_, Changes{"deleted /a/b"});
  EXPECT_EQ(StatOf("/a").children_version, 2);
  EXPECT_EQ(StatOf("/a").children_revision, model::Revision(revision_));
  EXPECT_EQ(Delete("/a"), Reason::kOk);
  EXPECT_EQ(Delete("/a"), Reason::kNoNode);
  EXPECT_EQ(Delete("/"), Reason::kInvalidArgument);
}

TEST_F(WritesTest, RecursiveDeleteTakesChildrenFirst) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/z"}) Create(path);
  const Reply reply = Do(model::Delete{.path = "/a", .recursive = true});
  EXPECT_EQ(std::get<model::OperationResult>(reply.result).touched, 4);
  EXPECT_EQ(changes_, (Changes{"deleted /a/d", "deleted /a/b/c", "deleted /a/b", "deleted /a"}));
  EXPECT_FALSE(Exists("/a"));
  EXPECT_TRUE(Exists("/z"));
}

TEST_F(WritesTest, RecursiveDeleteHasALimit) {
  Create("/a");
  model::Transaction half;
  for (size_t i = 0; i < model::kRecursiveNodesMax / 3; ++i) {
    half.then_operations.push_back(model::Create{.path = "/a/n", .sequential = true});
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Do(half).ok());
  ASSERT_EQ(Delete("/a", {}, true), Reason::kOk);  // 1 + 9,999: just the limit
  Create("/a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Do(half).ok());
  Create("/a/one more");
  EXPECT_EQ(Delete("/a", {}, true), Reason::kTooLarge);
  EXPECT_TRUE(Exists("/a/one more"));
}

// Otherwise each of a transaction's thousands of operations could touch as many.
TEST_F(WritesTest, RecursiveOperationsOfATransactionShareTheirLimit) {
  model::Transaction many;
  for (const char* top : {"/a", "/b"}) {
    Create(top);
    for (size_t i = 1; i < model::kRecursiveNodesMax / 4; ++i) {
      many.then_operations.push_back(model::Create{.path = absl::StrCat(top, "/", i)});
    }
    ASSERT_TRUE(Do(std::exchange(many, {})).ok());
  }
  const model::SetAcl set{.path = "/a", .acl = model::OpenAcl(), .recursive = true};
  const model::Delete del{.path = "/b", .recursive = true};
  model::Transaction transaction;
  transaction.then_operations = {set, set, set, del, model::Create{.path = "/b"}};
  EXPECT_EQ(Do(transaction).error.reason, Reason::kOk) << "just the limit";
  transaction.then_operations = {set, set, set, set, del};
  EXPECT_EQ(Do(transaction).error.reason, Reason::kTooLarge);
  EXPECT_TRUE(Exists("/b"));
  EXPECT_EQ(StatOf("/a/1").acl_version, 3);
}

TEST_F(WritesTest, SetAclCountsOnItsOwn) {
  const model::Acl acl = {{model::kRead, {"digest", "ann:x"}}, {model::kRead, {"digest", "ann:x"}}};
  Create("/a");
  Create("/a/b");
  EXPECT_EQ(Do(model::SetAcl{.path = "/a", .acl = acl, .recursive = true}).error.reason,
            Reason::kOk);
  EXPECT_EQ(changes_, (Changes{"acl /a", "acl /a/b"}));
  EXPECT_EQ(StatOf("/a").acl_version, 1);
  EXPECT_EQ(StatOf("/a").version, 0);
  EXPECT_EQ(StatOf("/a").modify_revision, StatOf("/a").create_revision);
  const Reply got = Ask(model::GetAcl{"/a/b"});
  EXPECT_EQ(std::get<model::AclResult>(got.result).acl.size(), 1u);  // repeats are dropped
  EXPECT_EQ(Do(model::SetAcl{.path = "/a", .acl = acl, .expected_acl_version = 0}).error.reason,
            Reason::kBadVersion);
  EXPECT_EQ(Do(model::SetAcl{.path = "/a"}).error.reason, Reason::kInvalidAcl);
}

TEST_F(WritesTest, AnAclGoesWithItsLastNode) {
  const model::Acl acl = {{model::kRead, {"digest", "ann:x"}}};
  Create("/a", "", {.acl = acl});
  Create("/b", "", {.acl = acl});
  EXPECT_TRUE(records_.contains(codec::AclKey(1)));
  Delete("/a");
  EXPECT_TRUE(records_.contains(codec::AclKey(1)));
  Do(model::SetAcl{.path = "/b", .acl = model::OpenAcl()});
  EXPECT_FALSE(records_.contains(codec::AclKey(1)));
}

// --- Transactions -----------------------------------------------------------------------------

TEST_F(WritesTest, ATransactionSeesItsOwnWritesAtOneRevision) {
  model::Transaction transaction;
  transaction.then_operations = {model::Create{.path = "/a"}, model::Create{.path = "/a/b"},
                                 model::Set{"/a", "new", 0}, model::Check{"/a", 1},
                                 model::Get{"/a"}};
  const Reply reply = Do(transaction);
  ASSERT_TRUE(reply.ok()) << reply.error.detail;
  const auto& result = std::get<model::TransactionResult>(reply.result);
  EXPECT_TRUE(result.compared_true);
  ASSERT_EQ(result.results.size(), 5u);
  EXPECT_EQ(result.results[4].data, "new");
  EXPECT_EQ(changes_, (Changes{"created /a", "created /a/b", "data /a"}));
  EXPECT_EQ(StatOf("/a").version, 1);
  EXPECT_EQ(StatOf("/a").create_revision, StatOf("/a/b").create_revision);
}

TEST_F(WritesTest, AFailedTransactionChangesNothing) {
  session_ = Open();
  Create("/a", "old");
  Create("/a/b", "", {.acl = {{model::kRead, {"digest", "x:y"}}}});
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  Create("/c", "", {.kind = NodeKind::kContainer});
  Create("/c/child");
  const Records before = records_;
  model::Transaction transaction;
  transaction.then_operations = {
      model::Set{"/a", "new"},
      model::Delete{.path = "/a", .recursive = true},
      model::Create{.path = "/n", .acl = {{model::kAdmin, {"digest", "p:q"}}}},
      model::Create{.path = "/n/e", .kind = NodeKind::kEphemeral},
      model::Delete{.path = "/e"},
      model::Delete{.path = "/c/child"},
      model::Check{"/missing", {}},
      model::Create{.path = "/never"}};
  const Reply reply = Do(transaction);
  EXPECT_EQ(reply.error.reason, Reason::kNoNode);
  EXPECT_EQ(reply.error.path, "/missing");
  const auto& result = std::get<model::TransactionResult>(reply.result);
  EXPECT_EQ(result.failed_operation, 6u);
  EXPECT_EQ(result.results.size(), 7u);
  EXPECT_EQ(result.results[6].error.reason, Reason::kNoNode);
  EXPECT_TRUE(result.results[0].error.ok());
  EXPECT_EQ(changes_, Changes{});
  EXPECT_EQ(records_, before);
  EXPECT_EQ(Data("/a"), "old");
  EXPECT_TRUE(Exists("/e"));
}

TEST_F(WritesTest, ComparesChooseTheBranch) {
  using Subject = model::Compare::Subject;
  using Relation = model::Compare::Relation;
  session_ = Open();
  Create("/a", "mm");
  Set("/a", "m");
  Create("/a/child");
  Create("/null", std::nullopt);
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  const int64_t modified = static_cast<int64_t>(StatOf("/a").modify_revision.value());
  struct Case {
    model::Compare compare;
    bool holds;
  };
  const std::vector<Case> cases = {
      {{"/a", Subject::kExists, Relation::kEqual, 1, {}}, true},
      {{"/x", Subject::kExists, Relation::kEqual, 1, {}}, false},
      {{"/x", Subject::kExists, Relation::kEqual, 0, {}}, true},
      {{"/x", Subject::kVersion, Relation::kNotEqual, 7, {}}, false},
      {{"/a", Subject::kVersion, Relation::kEqual, 1, {}}, true},
      {{"/a", Subject::kVersion, Relation::kGreater, 1, {}}, false},
      {{"/a", Subject::kVersion, Relation::kLess, 2, {}}, true},
      {{"/a", Subject::kModifyRevision, Relation::kEqual, modified, {}}, true},
      {{"/a", Subject::kCreateRevision, Relation::kLess, modified, {}}, true},
      {{"/a", Subject::kData, Relation::kEqual, 0, "m"}, true},
      {{"/a", Subject::kData, Relation::kNotEqual, 0, "m"}, false},
      {{"/a", Subject::kData, Relation::kLess, 0, "ma"}, true},
      {{"/a", Subject::kData, Relation::kGreater, 0, "l"}, true},
      {{"/null", Subject::kData, Relation::kEqual, 0, {}}, true},
      {{"/null", Subject::kData, Relation::kLess, 0, ""}, true},
      {{"/a", Subject::kChildrenCount, Relation::kEqual, 1, {}}, true},
      {{"/e", Subject::kOwner, Relation::kEqual, int64_t(session_.value()), {}}, true},
      {{"/a", Subject::kOwner, Relation::kEqual, 0, {}}, true},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    model::Transaction transaction;
    transaction.compares = {cases[i].compare};
    transaction.else_operations = {model::Get{"/a", true}};
    const Reply reply = Do(transaction);
    ASSERT_TRUE(reply.ok());
    const auto& result = std::get<model::TransactionResult>(reply.result);
    EXPECT_EQ(result.compared_true, cases[i].holds) << "case " << i;
    EXPECT_EQ(result.results.size(), cases[i].holds ? 0u : 1u) << "case " << i;
  }
}

TEST_F(WritesTest, TransactionsHaveLimits) {
  model::Transaction transaction;
  transaction.then_operations.resize(model::kTransactOperationsMax, model::Check{"/", {}});
  EXPECT_TRUE(Do(transaction).ok());
  transaction.then_operations.push_back(model::Check{"/", {}});
  EXPECT_EQ(Do(transaction).error.reason, Reason::kTooLarge);
  model::Transaction compares;
  compares.compares.resize(model::kTransactComparesMax + 1, {.path = "/"});
  EXPECT_EQ(Do(compares).error.reason, Reason::kTooLarge);
  Create("/big", std::string(model::kTransactReadBytesMax / 2, 'x'));
  model::Transaction reads;
  reads.then_operations = {model::Get{"/big"}, model::Get{"/big"}};
  EXPECT_TRUE(Do(reads).ok());
  Create("/one", "1");
  reads.then_operations.push_back(model::Get{"/one"});
  EXPECT_EQ(Do(reads).error.reason, Reason::kTooLarge);
}

}  // namespace
}  // namespace pando::machine
