// What a connection does only where it is allowed or has to: changes of the membership, Keeper's
// requests, reading without a majority.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acl/digest.h"
#include "acl/scheme.h"
#include "jute/encode.h"
#include "jute/reader.h"
#include "zookeeper/connection.h"
#include "zookeeper/testing/connection_fixture.h"

namespace pando::zookeeper {
namespace {

// --- Changes of the membership ----------------------------------------------------------------

TEST_F(ConnectionTest, AReconfigIsADialogueThatNothingOvertakes) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  SayReconfig(2, "9");
  EXPECT_FALSE(connection_.wants_input());
  ASSERT_EQ(asked_.size(), 2u);
  Answer(Node(20), 21);
  // The session lives on as long as it takes.
  EXPECT_EQ(std::get<model::Query>(asked_[0].body).session, model::SessionId(kSession));
  EXPECT_EQ(asked_[0].consistency, io::Consistency::kLinearizable);
  Answer(Node(20), 22);
  model::Reply acl;
  acl.result = model::AclResult{.acl = {{model::kWrite, acl::kAnyone}}};
  Answer(std::move(acl), 22);
  const model::ServerId one(1);
  model::Reply members;
  members.result = model::Membership{.members = {{.id = one, .peer_address = "a:1"}}};
  Answer(std::move(members), 22);
  model::Reply status;
  status.result = model::EnsembleStatus{.members = {{.id = one, .reachable = true}}};
  Answer(std::move(status), 22);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_FALSE(connection_.wants_input());
  Answer(Node(23), 24);
  EXPECT_TRUE(connection_.wants_input());
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[1].xid, 2);
  EXPECT_EQ(said[1].zxid, 24);
  EXPECT_EQ(said[1].error, ErrorCode::kOk);
  EXPECT_EQ(said[1].record.size(), said[0].record.size()) << "as that of getData";
  EXPECT_EQ(said[1].record.substr(0, 5), said[0].record.substr(0, 5));
}

TEST_F(ConnectionTest, AReconfigThatIsRefusedGoesOnNoFurther) {
  Open();
  SayReconfig(1, "9");
  Answer(Reason::kNoLeader, 20);
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(Hear().at(0).error, ErrorCode::kOperationTimeout);
  EXPECT_TRUE(connection_.wants_input());
  EXPECT_NE(answered_.back(), Reason::kOk);
}

class ConnectionWithoutExtras : public ConnectionTest {
 protected:
  ConnectionWithoutExtras() : ConnectionTest({.frame_bytes_max = 1'000}) {}
};

TEST_F(ConnectionWithoutExtras, HasNoReconfig) {
  Open();
  SayReconfig(1, "9");
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(Hear().at(0).error, ErrorCode::kReconfigDisabled);
  EXPECT_TRUE(connection_.wants_input());
}

// --- Keeper's ---------------------------------------------------------------------------------

class KeepersRequests : public ConnectionTest {
 protected:
  void SayAll() {
    Say(1, Opcode::kFilteredList, [](FrameWriter& frame) {
      frame.String("/a");
      frame.Bool(true);
      frame.Byte(2);
    });
    Say(2, Opcode::kRemoveRecursive, [](FrameWriter& frame) {
      frame.String("/a");
      frame.Int(100);
    });
    SayCreateIfNotExists(3);
    Say(4, Opcode::kMulti, [](FrameWriter& frame) {
      frame.MultiHeader(Opcode::kCheckNotExists, false, ErrorCode::kSystemError);
      frame.String("/b");
      frame.Int(-1);
      frame.MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
    });
    SayRead(5, Opcode::kGetData, "/keeper/feature_flags", false);
  }
  void SayCreateIfNotExists(int32_t xid) {
    Say(xid, Opcode::kCreateIfNotExists, [](FrameWriter& frame) {
      frame.String("/c");
      frame.Buffer("d");
      frame.Acl(model::OpenAcl());
      frame.Int(0);
    });
  }
};

TEST_F(KeepersRequests, AreOperationsOfTheCore) {
  Open();
  SayAll();
  ASSERT_EQ(asked_.size(), 5u);
  const auto& names = std::get<model::ListNames>(std::get<model::Query>(asked_[0].body).body);
  EXPECT_EQ(names.only, model::ListNames::Only::kEphemeral);
  const auto& del = AskedCommand<model::Delete>(1);
  EXPECT_TRUE(del.recursive);
  EXPECT_EQ(del.nodes_max, 100u);
  EXPECT_TRUE(AskedCommand<model::Create>(2).if_not_exists);
  const auto& check =
      std::get<model::CheckAbsent>(AskedCommand<model::Transaction>(3).then_operations.at(0));
  EXPECT_EQ(check.path, "/b");
  EXPECT_FALSE(check.expected_version);

  model::Reply children;
  children.result = model::NamesResult{.names = {"e"}};
  Answer(std::move(children), 20);
  EXPECT_TRUE(watches_.Has("/a", 1, kId)) << "of children";
  Answer(model::Reply(), 21);
  model::Reply there;
  there.result = model::OperationResult{.path = "/c", .existed = true};
  Answer(std::move(there), 22);
  model::Reply failed = model::Reply::Failure({.reason = Reason::kNodeExists});
  failed.result = model::TransactionResult{.results = {{}}, .failed_operation = 0};
  Answer(std::move(failed), 23);
  Answer(model::Reply(), 24);
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 5u);
  for (const Said& one : said) EXPECT_EQ(one.error, ErrorCode::kOk) << one.xid;
  EXPECT_EQ(said[2].record, std::string("\0\0\0\2/c", 6)) << "as if it had been made";
  jute::Reader results(said[3].record);
  EXPECT_EQ(results.Part().error, ErrorCode::kNodeExists);
  EXPECT_EQ(said[4].zxid, 24);
  EXPECT_EQ(said[4].record.substr(0, 6), std::string("\0\0\0\2\xb8\0", 6));
}

TEST_F(ConnectionWithoutExtras, HasNothingOfKeeper) {
  Open();
  SayRead(1, Opcode::kGetData, "/keeper/feature_flags", false);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<model::Get>(std::get<model::Query>(asked_[0].body).body))
      << "a node like any other";
  Answer(Reason::kNoNode, 20);
  Say(2, Opcode::kMulti, [](FrameWriter& frame) {
    frame.MultiHeader(Opcode::kCheckNotExists, false, ErrorCode::kSystemError);
    frame.String("/b");
    frame.Int(-1);
    frame.MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
  });
  Say(3, Opcode::kCheckNotExists, [](FrameWriter& frame) {
    frame.String("/b");
    frame.Int(-1);
  });
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[1].error, ErrorCode::kMarshallingError);
  EXPECT_EQ(said[2].error, ErrorCode::kUnimplemented);
  EXPECT_TRUE(connection_.ended());
}

// --- Without a majority -----------------------------------------------------------------------

class ReadOnlyConnection : public ConnectionTest {
 protected:
  ReadOnlyConnection() {
    read_only_ = true;
    told_ = model::Revision(20);
  }
  // The session that the client is told, none: it was refused.
  int64_t Told(bool read_only = true) {
    jute::Reader in(std::string_view(*connection_.output()).substr(4));
    EXPECT_EQ(in.Int(), 0);
    const bool refused = in.Int() == 0;
    const int64_t session = in.Long();
    EXPECT_EQ(in.String().size(), jute::kPasswordBytes);
    EXPECT_EQ(in.Bool(), read_only);
    connection_.output()->clear();
    EXPECT_EQ(refused, session == 0);
    return session;
  }
  void SayCreate(int32_t xid) {
    Say(xid, Opcode::kCreate, [](FrameWriter& frame) {
      frame.String("/a");
      frame.Buffer(std::nullopt);
      frame.Acl(model::OpenAcl());
      frame.Int(0);
    });
  }
};

TEST_F(ReadOnlyConnection, WhoOnlyReadsIsServed) {
  Greet(0, 20, /*read_only=*/true);
  EXPECT_GT(Told(), int64_t{1} << 61);
  EXPECT_TRUE(asked_.empty()) << "nobody else can be asked";
  EXPECT_TRUE(connection_.read_only());
  SayRead(1, Opcode::kGetData, "/a", true);
  EXPECT_FALSE(std::get<model::Query>(asked_.at(0).body).session) << "the core has no such session";
  SayCreate(2);
  Say(3, Opcode::kSync, [](FrameWriter& frame) { frame.String("/"); });
  ASSERT_EQ(asked_.size(), 1u);
  Answer(Node(9), 20);
  SayNothing(4, Opcode::kCloseSession);
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 4u);
  EXPECT_EQ(said[0].error, ErrorCode::kOk);
  EXPECT_EQ(said[1].error, ErrorCode::kNotReadOnly);
  EXPECT_EQ(said[2].error, ErrorCode::kNotReadOnly);
  EXPECT_EQ(said[3].error, ErrorCode::kOk);
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ReadOnlyConnection, WhoWantsToWriteIsSentAwayAtOnce) {
  Greet(0);
  EXPECT_TRUE(connection_.ended());
  EXPECT_TRUE(connection_.output()->empty());
}

TEST_F(ReadOnlyConnection, ASessionGoesOnThatTheServerKnows) {
  Greet(kSession, 0, /*read_only=*/true);
  EXPECT_EQ(std::get<model::Query>(asked_.at(0).body).session, model::SessionId(kSession));
  EXPECT_EQ(asked_.at(0).consistency, io::Consistency::kLocal);
  EXPECT_EQ(asked_.at(0).token_hash, acl::Sha256(std::string(16, 'p')));
  Answer(model::Reply(), 20);
  EXPECT_EQ(Told(), static_cast<int64_t>(kSession));
  EXPECT_EQ(attached_, 0);
  SayNothing(1, Opcode::kCloseSession);
  EXPECT_EQ(Hear().at(0).error, ErrorCode::kNotReadOnly) << "it lives on";
}

TEST_F(ReadOnlyConnection, ASessionThatIsOverIsRefused) {
  Greet(kSession, 0, /*read_only=*/true);
  Answer(Reason::kSessionExpired, 20);
  EXPECT_EQ(Told(), 0);
  EXPECT_TRUE(connection_.ended());
}

// It may have begun where the majority is.
TEST_F(ReadOnlyConnection, NothingIsSaidOfASessionThatTheServerDoesNotKnow) {
  Greet(kSession, 0, /*read_only=*/true);
  Answer(Reason::kBehind, 20);
  EXPECT_TRUE(connection_.ended());
  EXPECT_TRUE(connection_.output()->empty());
}

TEST_F(ReadOnlyConnection, ASessionOfAnotherConnectionAloneIsOver) {
  Greet((int64_t{1} << 62) + 5, 0, /*read_only=*/true);
  EXPECT_EQ(Told(), 0);
}

TEST_F(ReadOnlyConnection, WhoHasSeenMoreGoesElsewhere) {
  Greet(0, 21, /*read_only=*/true);
  EXPECT_TRUE(connection_.ended());
  EXPECT_TRUE(connection_.output()->empty());
}

}  // namespace
}  // namespace pando::zookeeper
