// Sessions, their requests, and what goes by itself.
#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "machine/testing/machine_fixture.h"
#include "model/limits.h"

namespace pando::machine {
namespace {

using model::NodeKind;
using model::Reason;
using model::Reply;

using SessionsTest = MachineFixture;

// --- Sessions ---------------------------------------------------------------------------------

TEST_F(SessionsTest, ASessionTakesItsEphemeralsWithItAtOneRevision) {
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

TEST_F(SessionsTest, ExpiryIsTheSameForEverySessionNamed) {
  session_ = Open();
  const model::SessionId ann = session_;
  Create("/e", "", {.kind = NodeKind::kEphemeral});
  session_ = {};
  const model::SessionId bob = Open();
  Do(model::ExpireSessions{{ann, model::SessionId(9'999), bob}});
  EXPECT_EQ(changes_, Changes{"deleted /e"});
  EXPECT_EQ(machine_.counts().sessions, 0u);
}

TEST_F(SessionsTest, OnlyTheNewestAttachmentTakesEffect) {
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

TEST_F(SessionsTest, WhoAttachesAgainMayAskForAnotherTimeout) {
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

TEST_F(SessionsTest, WhoOpensASessionIsItsFirstConnection) {
  const Reply opened = Do(model::OpenSession{10'000, std::string(32, 't')});
  const auto& session = std::get<model::SessionResult>(opened.result);
  EXPECT_EQ(session.attachment.value(), session.session.value());
  session_ = session.session;
  attachment_ = session.attachment;
  EXPECT_EQ(Create("/a"), Reason::kOk);
  EXPECT_TRUE(Do(model::AttachSession{session_}).ok());
  EXPECT_EQ(Create("/b"), Reason::kSessionMoved);
}

TEST_F(SessionsTest, ARequestWithAnIdIsAppliedOnce) {
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

TEST_F(SessionsTest, WhatStandsInForARequestIsNotItsAnswer) {
  session_ = Open();
  request_ = model::RequestId(1);
  Do(model::Nothing{});  // its caller gave up
  EXPECT_EQ(Do(model::Refuse{Reason::kOverloaded}).error.reason, Reason::kOverloaded);
  EXPECT_EQ(Create("/a"), Reason::kOk);
  EXPECT_EQ(changes_, Changes{"created /a"});
}

TEST_F(SessionsTest, KeptRepliesHaveALimitThatNothingPasses) {
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

TEST_F(SessionsTest, ARepeatedTransactionSaysThatItsReadsWereNotKept) {
  session_ = Open();
  request_ = model::RequestId(1);
  model::Transaction transaction;
  transaction.then_operations = {model::Get{"/"}};
  const Reply first = Do(transaction);
  EXPECT_FALSE(std::get<model::TransactionResult>(first.result).data_omitted);
  const Reply again = Do(transaction);
  EXPECT_TRUE(std::get<model::TransactionResult>(again.result).data_omitted);
}

TEST_F(SessionsTest, SessionsAreRefusedOutsideTheirLimits) {
  EXPECT_EQ(Do(model::OpenSession{999, std::string(32, 't')}).error.reason,
            Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::OpenSession{600'001, std::string(32, 't')}).error.reason,
            Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::OpenSession{1'000, "short"}).error.reason, Reason::kInvalidArgument);
  EXPECT_EQ(Do(model::AttachSession{model::SessionId(77)}).error.reason, Reason::kSessionExpired);
  EXPECT_EQ(Do(model::CloseSession{model::SessionId(77)}).error.reason, Reason::kSessionExpired);
}

// --- Reaping ----------------------------------------------------------------------------------

TEST_F(SessionsTest, ATtlNodeGoesWhenItIsOldAndChildless) {
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

TEST_F(SessionsTest, AContainerGoesWithItsLastChildButNotUnused) {
  Create("/c", "", {.kind = NodeKind::kContainer});
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
  Create("/c/x");
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
  Delete("/c/x");
  Do(model::Reap{machine_.DueForReap({9'000}, 10)});
  EXPECT_FALSE(Exists("/c"));
  EXPECT_TRUE(machine_.DueForReap({9'000}, 10).empty());
}

TEST_F(SessionsTest, ReapChecksWhatItIsTold) {
  Create("/plain");
  const model::Stat stat = StatOf("/plain");
  Do(model::Reap{{{"/plain", stat.create_revision, stat.mtime}, {"", {}, {}}, {"/no", {}, {}}}});
  EXPECT_TRUE(Exists("/plain"));
}

}  // namespace
}  // namespace pando::machine
