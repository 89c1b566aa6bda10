#include "machine/machine.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codec/command.h"
#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::ChangeKind;
using model::NodeKind;
using model::Reason;
using model::Reply;
using Records = std::map<std::string, std::string>;

// A small vocabulary: each call is one entry of the log; after each, what the store would hold is
// loaded into a second machine, which must be the same.
class MachineTest : public testing::Test {
 protected:
  MachineTest() {
    stamp_ = 1'000;
    Do(model::Found{model::ClusterId(5)});
  }

  Applied Apply(const model::Command& command) {
    return Check(machine_.Apply(model::Revision(++revision_), command));
  }
  Applied Check(Applied applied) {
    for (const model::RecordWrite& write : applied.delta.writes) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    Machine loaded;
    for (const auto& [key, value] : records_) EXPECT_TRUE(loaded.Load(key, value).ok()) << key;
    EXPECT_EQ(loaded.FinishLoad(machine_.applied(), machine_.digest()), absl::OkStatus());
    EXPECT_EQ(loaded.counts().nodes, machine_.counts().nodes);
    EXPECT_EQ(loaded.counts().data_bytes, machine_.counts().data_bytes);
    EXPECT_EQ(loaded.counts().ephemerals, machine_.counts().ephemerals);
    changes_.clear();
    if (applied.changes) {
      for (const model::Change& change : applied.changes->changes) {
        changes_.push_back(Name(change.kind) + " " + change.path);
      }
    }
    return applied;
  }

  Reply Do(model::CommandBody body) {
    model::Command command;
    command.stamp.ms = stamp_;
    command.identities = identities_;
    command.session = session_;
    command.attachment = attachment_;
    command.request = request_;
    command.first_outstanding = first_outstanding_;
    command.request_hash = codec::HashBody(body);
    command.body = std::move(body);
    return Apply(command).reply;
  }

  Reason Create(std::string path, model::NodeBytes data = "", model::Create with = {}) {
    with.path = std::move(path);
    with.data = std::move(data);
    const Reply reply = Do(with);
    if (reply.ok()) created_ = std::get<model::OperationResult>(reply.result).path;
    return reply.error.reason;
  }
  Reason Set(std::string path, model::NodeBytes data, std::optional<int64_t> version = {}) {
    return Do(model::Set{std::move(path), std::move(data), version}).error.reason;
  }
  Reason Delete(std::string path, std::optional<int64_t> version = {}, bool recursive = false) {
    return Do(model::Delete{std::move(path), version, recursive}).error.reason;
  }
  Reply Ask(model::QueryBody body) const {
    return machine_.Query({.identities = identities_, .body = std::move(body)});
  }
  model::NodeBytes Data(const std::string& path) const {
    return std::get<model::OperationResult>(Ask(model::Get{path}).result).data;
  }
  bool Exists(const std::string& path) const { return Ask(model::Get{path}).ok(); }
  model::Stat StatOf(const std::string& path) const {
    return std::get<model::OperationResult>(Ask(model::Get{path}).result).stat;
  }
  model::SessionId Open(int64_t timeout_ms = 10'000) {
    const Reply reply = Do(model::OpenSession{timeout_ms, std::string(32, 't')});
    EXPECT_TRUE(reply.ok());
    return std::get<model::SessionResult>(reply.result).session;
  }

  static std::string Name(ChangeKind kind) {
    switch (kind) {
      case ChangeKind::kCreated:
        return "created";
      case ChangeKind::kDeleted:
        return "deleted";
      case ChangeKind::kDataChanged:
        return "data";
      case ChangeKind::kAclChanged:
        return "acl";
    }
    return "?";
  }

  Machine machine_;
  Records records_;
  uint64_t revision_ = 0;
  // Who may do everything: permissions are permission_test's.
  const std::vector<model::Identity> identities_ = {{"super", ""}};
  int64_t stamp_ = 0;
  model::SessionId session_;
  model::Attachment attachment_;
  model::RequestId request_;
  model::RequestId first_outstanding_;
  std::string created_;
  std::vector<std::string> changes_;  // of the last command
};

using Changes = std::vector<std::string>;

// --- Create -----------------------------------------------------------------------------------

TEST_F(MachineTest, CreateMakesANodeAndCountsItAtItsParent) {
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

TEST_F(MachineTest, NullDataIsNotEmptyData) {
  Create("/null", std::nullopt);
  Create("/empty", "");
  EXPECT_EQ(Data("/null"), std::nullopt);
  EXPECT_EQ(Data("/empty"), "");
  EXPECT_EQ(StatOf("/null").data_length, 0);
}

// Part of the disk format: what was stored with a digest has it for ever.
TEST_F(MachineTest, DigestsAreAsEver) {
  EXPECT_EQ(codec::RecordDigest("key", "value"), 12799176785381101966u);
  EXPECT_EQ(machine_.digest(), 9499362951742083223u) << "of a new ensemble's first command";
}

TEST_F(MachineTest, ARefusedCreateNamesTheNodeThatItWasToMake) {
  session_ = Open();
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  for (const std::string path : {"/no/parent", "/e/child"}) {
    EXPECT_EQ(Do(model::Create{.path = path}).error.path, path);
  }
}

TEST_F(MachineTest, CreateRefusesWhatZooKeeperRefuses) {
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

TEST_F(MachineTest, SequenceCountsEveryCreateAndNoDelete) {
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

TEST_F(MachineTest, ASequenceNumberThatIsTakenIsRefused) {
  Create("/q");
  Create("/q/n0000000001");
  EXPECT_EQ(Create("/q/n", "", {.sequential = true}), Reason::kNodeExists);
  EXPECT_EQ(Create("/q/m", "", {.sequential = true}), Reason::kOk);
}

TEST_F(MachineTest, CreateParentsMakesWhatIsMissing) {
  EXPECT_EQ(Create("/a/b/c", "x", {.create_parents = true}), Reason::kOk);
  EXPECT_EQ(changes_, (Changes{"created /a", "created /a/b", "created /a/b/c"}));
  EXPECT_EQ(Data("/a/b"), std::nullopt);
  EXPECT_EQ(Create("/x/", "x", {.sequential = true, .create_parents = true}), Reason::kOk);
  EXPECT_EQ(created_, "/x/0000000000");
  session_ = Open();
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  EXPECT_EQ(Create("/e/b/c", "", {.create_parents = true}), Reason::kNoChildrenForEphemerals);
}

TEST_F(MachineTest, IfNotExistsLeavesWhatIsThere) {
  Create("/a", "old");
  const Reply reply = Do(model::Create{.path = "/a", .data = "new", .if_not_exists = true});
  EXPECT_TRUE(reply.ok());
  EXPECT_TRUE(std::get<model::OperationResult>(reply.result).existed);
  EXPECT_EQ(Data("/a"), "old");
  EXPECT_EQ(changes_, Changes{});
}

// --- Set, Delete, SetAcl ----------------------------------------------------------------------

TEST_F(MachineTest, SetRaisesTheVersionAndLeavesTheParentAlone) {
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

TEST_F(MachineTest, ABadVersionSaysBoth) {
  Create("/a");
  const Reply reply = Do(model::Set{"/a", "", 7});
  EXPECT_EQ(reply.error.expected, 7);
  EXPECT_EQ(reply.error.actual, 0);
  EXPECT_EQ(reply.error.path, "/a");
}

TEST_F(MachineTest, DeleteRefusesANodeWithChildren) {
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

TEST_F(MachineTest, RecursiveDeleteTakesChildrenFirst) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/z"}) Create(path);
  const Reply reply = Do(model::Delete{.path = "/a", .recursive = true});
  EXPECT_EQ(std::get<model::OperationResult>(reply.result).touched, 4);
  EXPECT_EQ(changes_, (Changes{"deleted /a/d", "deleted /a/b/c", "deleted /a/b", "deleted /a"}));
  EXPECT_FALSE(Exists("/a"));
  EXPECT_TRUE(Exists("/z"));
}

TEST_F(MachineTest, RecursiveDeleteHasALimit) {
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
TEST_F(MachineTest, RecursiveOperationsOfATransactionShareTheirLimit) {
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

TEST_F(MachineTest, SetAclCountsOnItsOwn) {
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

TEST_F(MachineTest, AnAclGoesWithItsLastNode) {
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

TEST_F(MachineTest, ATransactionSeesItsOwnWritesAtOneRevision) {
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

TEST_F(MachineTest, AFailedTransactionChangesNothing) {
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

TEST_F(MachineTest, ComparesChooseTheBranch) {
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

TEST_F(MachineTest, TransactionsHaveLimits) {
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

// --- Sessions ---------------------------------------------------------------------------------

TEST_F(MachineTest, ASessionTakesItsEphemeralsWithItAtOneRevision) {
  const model::SessionId id = session_ = Open();
  EXPECT_EQ(id.value(), revision_);
  Create("/p");
  Create("/p/e1", "", {.kind = NodeKind::kEphemeral});
  Create("/p/e2", "", {.kind = NodeKind::kEphemeral});
  EXPECT_EQ(StatOf("/p/e1").ephemeral_owner, id);
  EXPECT_EQ(machine_.counts().ephemerals, 2u);
  EXPECT_TRUE(Do(model::CloseSession{id}).ok());
  EXPECT_EQ(changes_, (Changes{"deleted /p/e1", "deleted /p/e2"}));
  EXPECT_EQ(machine_.counts().sessions, 0u);
  EXPECT_EQ(Create("/x"), Reason::kSessionExpired);
}

TEST_F(MachineTest, ExpiryIsTheSameForEverySessionNamed) {
  session_ = Open();
  const model::SessionId ann = session_;
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  session_ = {};
  const model::SessionId bob = Open();
  Do(model::ExpireSessions{{ann, model::SessionId(9'999), bob}});
  EXPECT_EQ(changes_, Changes{"deleted /e"});
  EXPECT_EQ(machine_.counts().sessions, 0u);
}

TEST_F(MachineTest, OnlyTheNewestAttachmentTakesEffect) {
  session_ = Open();
  const auto attach = [&] {
    attachment_ = {};
    const Reply reply = Do(model::AttachSession{session_});
    return std::get<model::SessionResult>(reply.result).attachment;
  };
  const model::Attachment old = attach();
  const model::Attachment fresh = attach();
  attachment_ = old;
  EXPECT_EQ(Create("/a"), Reason::kSessionMoved);
  attachment_ = fresh;
  EXPECT_EQ(Create("/a"), Reason::kOk);
  attachment_ = {};  // a unary call
  EXPECT_EQ(Create("/b"), Reason::kOk);
}

TEST_F(MachineTest, WhoAttachesAgainMayAskForAnotherTimeout) {
  session_ = Open(10'000);
  const Reply reply = Do(model::ReattachSession{session_, 20'000});
  const auto& session = std::get<model::SessionResult>(reply.result);
  EXPECT_EQ(session.timeout_ms, 20'000);
  EXPECT_EQ(session.attachment.value(), revision_);
  EXPECT_EQ(machine_.FindSession(session_)->record.timeout_ms, 20'000);
  for (const int64_t timeout_ms : {999, 600'001}) {
    EXPECT_EQ(Do(model::ReattachSession{session_, timeout_ms}).error.reason,
              Reason::kInvalidArgument);
  }
  EXPECT_EQ(machine_.FindSession(session_)->record.timeout_ms, 20'000);
  session_ = {};
  EXPECT_EQ(Do(model::ReattachSession{model::SessionId(77), 10'000}).error.reason,
            Reason::kSessionExpired);
}

TEST_F(MachineTest, WhoOpensASessionIsItsFirstConnection) {
  const Reply opened = Do(model::OpenSession{10'000, std::string(32, 't')});
  const auto& session = std::get<model::SessionResult>(opened.result);
  EXPECT_EQ(session.attachment.value(), session.session.value());
  session_ = session.session;
  attachment_ = session.attachment;
  EXPECT_EQ(Create("/a"), Reason::kOk);
  EXPECT_TRUE(Do(model::AttachSession{session_}).ok());
  EXPECT_EQ(Create("/b"), Reason::kSessionMoved);
}

TEST_F(MachineTest, ARequestWithAnIdIsAppliedOnce) {
  session_ = Open();
  request_ = model::RequestId(1);
  const Reply first = Do(model::Create{.path = "/n", .sequential = true});
  const Reply again = Do(model::Create{.path = "/n", .sequential = true});
  EXPECT_EQ(again, first);
  EXPECT_EQ(changes_, Changes{});
  EXPECT_EQ(Create("/other"), Reason::kInvalidArgument);  // another request under that id
  request_ = model::RequestId(2);
  EXPECT_EQ(Delete("/missing"), Reason::kNoNode);
  Create("/late");
  EXPECT_EQ(Delete("/missing"), Reason::kNoNode);  // failures are kept too
  request_ = model::RequestId(3);
  first_outstanding_ = model::RequestId(3);
  EXPECT_EQ(Create("/c"), Reason::kOk);
  EXPECT_EQ(machine_.FindSession(session_)->kept.size(), 1u);
  request_ = model::RequestId(2);
  EXPECT_EQ(Create("/d"), Reason::kInvalidArgument);  // below the first outstanding
}

TEST_F(MachineTest, WhatStandsInForARequestIsNotItsAnswer) {
  session_ = Open();
  request_ = model::RequestId(1);
  Do(model::Nothing{});  // its caller gave up
  EXPECT_EQ(Do(model::Refuse{Reason::kOverloaded}).error.reason, Reason::kOverloaded);
  EXPECT_EQ(Create("/a"), Reason::kOk);
  EXPECT_EQ(changes_, Changes{"created /a"});
}

TEST_F(MachineTest, KeptRepliesHaveALimitThatNothingPasses) {
  session_ = Open();
  for (uint64_t i = 1; i <= model::kKeptRepliesMax; ++i) {
    request_ = model::RequestId(i);
    ASSERT_EQ(Set("/", "x"), Reason::kOk);
  }
  request_ = model::RequestId(model::kKeptRepliesMax + 1);
  EXPECT_EQ(Set("/", "y"), Reason::kOverloaded);
  EXPECT_EQ(Data("/"), "x");
  first_outstanding_ = model::RequestId(2);
  EXPECT_EQ(Set("/", "y"), Reason::kOk);
}

TEST_F(MachineTest, ARepeatedTransactionSaysThatItsReadsWereNotKept) {
  session_ = Open();
  request_ = model::RequestId(1);
  model::Transaction transaction;
  transaction.then_operations = {model::Get{"/"}};
  const Reply first = Do(transaction);
  EXPECT_FALSE(std::get<model::TransactionResult>(first.result).data_omitted);
  const Reply again = Do(transaction);
  EXPECT_TRUE(std::get<model::TransactionResult>(again.result).data_omitted);
}

TEST_F(MachineTest, SessionsAreRefusedOutsideTheirLimits) {
  EXPECT_EQ(Do(model::OpenSession{999, std::string(32, 't')}).error.reason,
            Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::OpenSession{600'001, std::string(32, 't')}).error.reason,
            Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::OpenSession{1'000, "short"}).error.reason, Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::AttachSession{model::SessionId(77)}).error.reason, Reason::kSessionExpired);
  EXPECT_EQ(Do(model::CloseSession{model::SessionId(77)}).error.reason, Reason::kSessionExpired);
}

// --- Reaping ----------------------------------------------------------------------------------

TEST_F(MachineTest, ATtlNodeGoesWhenItIsOldAndChildless) {
  Create("/t", "", {.kind = NodeKind::kTtl, .ttl_ms = 500});
  EXPECT_TRUE(machine_.DueForReap({1'500}, 10).empty());
  auto due = machine_.DueForReap({1'501}, 10);
  ASSERT_EQ(due.size(), 1u);
  stamp_ = 1'400;
  Set("/t", "kept alive");
  stamp_ = 1'501;
  Do(model::Reap{due});  // proposed before the Set was applied
  EXPECT_TRUE(Exists("/t"));
  Create("/t/child");
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
  Delete("/t/child");
  stamp_ = 9'000;
  Do(model::Reap{machine_.DueForReap({9'000}, 10)});
  EXPECT_EQ(changes_, Changes{"deleted /t"});
}

TEST_F(MachineTest, AContainerGoesWithItsLastChildButNotUnused) {
  Create("/c", "", {.kind = NodeKind::kContainer});
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
  Create("/c/x");
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
  Delete("/c/x");
  Do(model::Reap{machine_.DueForReap({9'000}, 10)});
  EXPECT_FALSE(Exists("/c"));
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
}

TEST_F(MachineTest, ReapChecksWhatItIsTold) {
  Create("/plain");
  const model::Stat stat = StatOf("/plain");
  Do(model::Reap{{{"/plain", stat.create_revision, stat.mtime}, {"", {}, {}}, {"/no", {}, {}}}});
  EXPECT_TRUE(Exists("/plain"));
}

// --- The log ----------------------------------------------------------------------------------

TEST_F(MachineTest, OnlyTheNextNumberOfASourceTakesEffect) {
  const auto send = [&](uint64_t start, uint64_t number) {
    model::Command command;
    command.source = {model::StorageId(1), model::StartCount(start)};
    command.number = model::SourceNumber(number);
    command.body = model::Set{"/", "x"};
    return Apply(command).effective;
  };
  EXPECT_FALSE(send(1, 2));
  EXPECT_TRUE(send(1, 1));
  EXPECT_FALSE(send(1, 1));
  EXPECT_TRUE(send(1, 2));
  EXPECT_FALSE(send(3, 2));
  EXPECT_TRUE(send(3, 1));
  EXPECT_FALSE(send(1, 3));
  EXPECT_EQ(StatOf("/").version, 3);
}

TEST_F(MachineTest, TimeDoesNotGoBack) {
  stamp_ = 5'000;
  Create("/a");
  stamp_ = 4'000;
  Create("/b");
  EXPECT_EQ(StatOf("/b").ctime.ms, 5'000);
}

TEST_F(MachineTest, TheEnsembleIsFoundedOnce) {
  Do(model::Found{model::ClusterId(6)});
  EXPECT_EQ(machine_.cluster(), model::ClusterId(5));
}

TEST_F(MachineTest, AMembershipIsPartOfTheState) {
  model::Membership membership;
  membership.members = {{.id = model::ServerId(1), .peer_address = "a:1"}};
  const uint64_t digest = machine_.digest();
  const Applied applied = machine_.ApplyMembership(model::Revision(++revision_), membership);
  EXPECT_EQ(applied.delta.writes.size(), 1u);
  EXPECT_NE(machine_.digest(), digest);
  EXPECT_EQ(machine_.membership(), membership);
}

TEST_F(MachineTest, AnotherEnsembleBeginsWithTheNodesAlone) {
  Create("/a", "data");
  Create("/b", "", {.acl = {{model::kRead, {"world", "anyone"}}}});
  const model::SessionId session = Open();
  session_ = session;
  request_ = model::RequestId(7);
  Create("/b/e-", "", {.kind = NodeKind::kEphemeral, .sequential = true});
  model::Membership membership;
  membership.members = {{.id = model::ServerId(1), .peer_address = "a:1"}};
  Check(machine_.ApplyMembership(model::Revision(++revision_), membership));
  const model::Source source{model::StorageId(8), model::StartCount(3)};
  model::Command command{.source = source, .number = model::SourceNumber(1)};
  command.body = model::Set{.path = "/a", .data = "later"};
  EXPECT_TRUE(Apply(command).effective);
  const model::Stat stat_of_a = StatOf("/a");
  const uint32_t version = machine_.version();

  revision_ = 1'000'000;
  Check(machine_.BeginAnew(model::Revision(revision_), 77));
  EXPECT_EQ(changes_, Changes{"deleted /b/e-0000000000"});
  EXPECT_EQ(Data("/a"), "later");
  EXPECT_EQ(StatOf("/a"), stat_of_a);
  EXPECT_EQ(StatOf("/b").children_count, 0);
  EXPECT_EQ(StatOf("/b").children_revision, model::Revision(1'000'000));
  EXPECT_EQ(machine_.sessions().size(), 0u);
  EXPECT_FALSE(machine_.cluster());
  EXPECT_TRUE(machine_.membership().members.empty());
  EXPECT_FALSE(machine_.LastNumberOf(source));
  EXPECT_EQ(machine_.origin(), 77u);
  EXPECT_EQ(machine_.version(), version);
  // Nothing of the ensemble is left in the store either.
  for (const auto& [key, value] : records_)
    EXPECT_TRUE(key[0] != 'k' && key[0] != 'o' && key[0] != 's');

  session_ = {};
  request_ = {};
  const model::Stat root = StatOf("/");
  Do(model::Found{model::ClusterId(6)});
  EXPECT_EQ(machine_.cluster(), model::ClusterId(6));
  EXPECT_EQ(StatOf("/"), root) << "founding it anew leaves the root";
  EXPECT_EQ(Create("/b/e-", "", {.sequential = true}), Reason::kOk);
  EXPECT_EQ(created_, "/b/e-0000000001") << "numbers are not given twice";
}

TEST_F(MachineTest, ADamagedStateIsNotLoaded) {
  Create("/a", "x");
  Machine wrong_digest;
  for (const auto& [key, value] : records_) ASSERT_TRUE(wrong_digest.Load(key, value).ok());
  EXPECT_EQ(wrong_digest.FinishLoad(model::Revision(1), machine_.digest() + 1).code(),
            absl::StatusCode::kDataLoss);
  Machine orphan;
  EXPECT_FALSE(orphan.Load(codec::NodeKey("/a/b"), records_[codec::NodeKey("/a")]).ok());
  Machine nonsense;
  EXPECT_FALSE(nonsense.Load("z", "").ok());
  EXPECT_FALSE(nonsense.Load(codec::NodeKey("/"), "\xff").ok());
}

// --- Queries ----------------------------------------------------------------------------------

TEST_F(MachineTest, ListPagesThroughChildrenInOrder) {
  for (const char* name : {"/c", "/a", "/b2", "/b1", "/d"}) Create(name, "data");
  std::vector<std::string> names;
  model::List list{.path = "/", .page_size = 2};
  do {
    const Reply reply = Ask(list);
    const auto& page = std::get<model::ListResult>(reply.result);
    for (const auto& child : page.children) names.push_back(child.name);
    EXPECT_LE(page.children.size(), 2u);
    list.after = page.next_after;
  } while (!list.after.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b1", "b2", "c", "d"}));
  const Reply reply =
      Ask(model::List{.path = "/", .prefix = "b", .with_stat = true, .with_data = true});
  const auto& some = std::get<model::ListResult>(reply.result);
  ASSERT_EQ(some.children.size(), 2u);
  EXPECT_EQ(some.children[1].data, "data");
  EXPECT_EQ(some.children[1].stat, StatOf("/b2"));
  EXPECT_EQ(Ask(model::List{.path = "/none"}).error.reason, Reason::kNoNode);
}

TEST_F(MachineTest, NoPageIsTooLarge) {
  const std::string half(model::kListPageBytesMax / 2 + 1, 'x');
  for (const char* name : {"/a", "/b", "/c"}) Create(name, half);
  const Reply reply = Ask(model::List{.path = "/", .with_data = true});
  const auto& page = std::get<model::ListResult>(reply.result);
  EXPECT_EQ(page.children.size(), 1u);
  EXPECT_EQ(page.next_after, "a");
}

TEST_F(MachineTest, WalkIsOfTheWholeSubtreeOrOfSomeLevels) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/z"}) Create(path, "x");
  const auto walk = [&](model::Walk body) {
    std::vector<std::string> paths;
    const Reply reply = Ask(body);
    for (const auto& node : std::get<model::WalkResult>(reply.result).nodes) {
      paths.push_back(node.path);
      EXPECT_EQ(node.data.has_value(), !body.without_data);
    }
    return paths;
  };
  EXPECT_EQ(walk({.path = "/a"}), (std::vector<std::string>{"/a", "/a/b", "/a/b/c", "/a/d"}));
  EXPECT_EQ(walk({.path = "/a", .max_depth = 1, .without_data = true}),
            (std::vector<std::string>{"/a", "/a/b", "/a/d"}));
}

TEST_F(MachineTest, AWalkThatIsTooMuchForOneTurnSaysSo) {
  model::Transaction many;
  for (size_t i = 0; i + 2 < model::kWalkInTurnNodesMax; ++i) {
    many.then_operations.push_back(model::Create{.path = "/n", .sequential = true});
  }
  Do(many);
  EXPECT_FALSE(Ask(model::Walk{.path = "/"}).ok() == false);
  Create("/one");
  EXPECT_TRUE(Ask(model::Walk{.path = "/"}).ok());
  Create("/two");
  EXPECT_EQ(Ask(model::Walk{.path = "/"}).error.reason, Reason::kTooLarge);
}

TEST_F(MachineTest, BeforeItIsFoundedThereIsNothing) {
  Machine empty;
  EXPECT_EQ(empty.Query({.body = model::Get{"/"}}).error.reason, Reason::kNoNode);
  model::Command command;
  command.body = model::Create{.path = "/a"};
  EXPECT_EQ(empty.Apply(model::Revision(1), command).reply.error.reason, Reason::kNoParent);
}

}  // namespace
}  // namespace pando::machine
