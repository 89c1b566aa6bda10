#include "zookeeper/connection.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acl/digest.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/status.h"
#include "jute/encode.h"
#include "jute/reader.h"
#include "zookeeper/testing/connection_fixture.h"

namespace pando::zookeeper {
namespace {

// --- Greetings --------------------------------------------------------------------------------

TEST_F(ConnectionTest, TheFirstClientOfAServerFindsZooKeepersNodes) {
  Greet(0);
  const auto& transaction = AskedCommand<model::Transaction>();
  ASSERT_EQ(transaction.then_operations.size(), 3u);
  EXPECT_TRUE(std::get<model::Create>(transaction.then_operations[0]).if_not_exists);
  Answer(model::Reply(), 5);
  EXPECT_TRUE(prepared_);
  EXPECT_EQ(AskedCommand<model::OpenSession>().timeout_ms, 30'000);
}

TEST_F(ConnectionTest, ANewSession) {
  prepared_ = true;
  Greet(0);
  EXPECT_EQ(AskedCommand<model::OpenSession>().token_hash, acl::Sha256(std::string(16, 'p')));
  EXPECT_FALSE(connection_.wants_input());
  AnswerSession(10);
  std::string expected;
  jute::AppendConnectResponse({.timeout_ms = 30'000,
                               .session_id = kSession,
                               .password = std::string(16, 'p'),
                               .read_only = false},
                              &expected);
  EXPECT_EQ(*connection_.output(), expected);
  EXPECT_EQ(attached_, 1);
  EXPECT_TRUE(connection_.wants_input());
}

TEST_F(ConnectionTest, ASessionIsTakenOverByWhoKnowsItsPassword) {
  prepared_ = true;
  Greet(kSession);
  EXPECT_EQ(asked_.front().consistency, io::Consistency::kLinearizable);
  Answer(model::Reply(), 20);
  EXPECT_EQ(AskedCommand<model::ReattachSession>().session, model::SessionId(kSession));
  EXPECT_EQ(AskedCommand<model::ReattachSession>().timeout_ms, 30'000);
  // The core looks at the token of a command's session.
  EXPECT_EQ(asked_.front().token_hash, acl::Sha256(std::string(16, 'p')));
  EXPECT_EQ(std::get<model::Command>(asked_.front().body).session, model::SessionId(kSession));
  AnswerSession(21);
  EXPECT_EQ(attached_, 1);
  // From now on its commands are those of this attachment.
  Say(1, Opcode::kDelete, [](FrameWriter& frame) {
    frame.String("/a");
    frame.Int(-1);
  });
  const auto& command = std::get<model::Command>(asked_.front().body);
  EXPECT_EQ(command.session, model::SessionId(kSession));
  EXPECT_EQ(command.attachment, model::Attachment(21));
}

TEST_F(ConnectionTest, ASessionThatIsOverIsRefusedInSoManyWords) {
  prepared_ = true;
  Greet(kSession);
  Answer(model::Reply(), 20);
  Answer(Reason::kSessionExpired, 20);
  std::string expected;
  jute::AppendConnectResponse({.password = std::string(16, '\0'), .read_only = false}, &expected);
  EXPECT_EQ(*connection_.output(), expected);
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ConnectionTest, WhoHasSeenTheFutureIsOfAnotherEnsemble) {
  prepared_ = true;
  Greet(0, 1'000);
  AnswerSession(10);
  EXPECT_TRUE(connection_.output()->empty());
  EXPECT_TRUE(connection_.ended());
  EXPECT_NE(connection_.why().find("another ensemble"), std::string::npos);
}

TEST_F(ConnectionTest, WhoHasSeenTheFutureIsNotToldOfItsSession) {
  prepared_ = true;
  Greet(kSession, 1'000);
  Answer(model::Reply(), 20);
  EXPECT_TRUE(connection_.ended());
  EXPECT_TRUE(connection_.output()->empty());
  EXPECT_TRUE(asked_.empty());
}

TEST_F(ConnectionTest, WithoutALeaderThereIsNoSession) {
  prepared_ = true;
  Greet(0);
  Answer(Reason::kTimeout, 9);
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ConnectionTest, AFrameThatIsTooLongEndsIt) {
  std::string bytes("\x00\x01\x00\x00", 4);
  connection_.Consume(bytes);
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ConnectionTest, AGreetingThatComesByteByByte) {
  prepared_ = true;
  std::string bytes;
  {
    FrameWriter frame(&bytes);
    frame.Int(0);
    frame.Long(0);
    frame.Int(30'000);
    frame.Long(0);
    frame.String(std::string(16, '\0'));
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(connection_.Consume(bytes.substr(0, size)), 0u);
    EXPECT_TRUE(asked_.empty());
  }
  EXPECT_EQ(connection_.Consume(bytes), bytes.size());
  AnswerSession(10);
  EXPECT_EQ(connection_.output()->size(), 4u + 36u);  // without the byte that it did not send
}

// The socket keeps what was not taken, and shows it again with what has come since.
TEST_F(ConnectionTest, FramesThatAreCutAnywhere) {
  prepared_ = true;
  std::string bytes;
  const auto read = [&bytes](int32_t xid, const std::string& path) {
    FrameWriter frame(&bytes);
    frame.Int(xid);
    frame.Int(static_cast<int32_t>(Opcode::kGetData));
    frame.String(path);
    frame.Bool(false);
  };
  read(1, "/a");
  read(2, "/bc");
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    SCOPED_TRACE(cut);
    asked_.clear();
    Connection connection(kId, Options(), this);
    const std::string greeting = Greeting(0, 0);
    ASSERT_EQ(connection.Consume(greeting), greeting.size());
    model::Reply opened = {.revision = model::Revision(10)};
    opened.result = model::SessionResult{.session = model::SessionId(kSession),
                                         .attachment = model::Attachment(10),
                                         .timeout_ms = 30'000};
    connection.Answer({.tag = kId.value(), .reply = std::move(opened)});
    asked_.clear();

    std::string input = bytes.substr(0, cut);
    input.erase(0, connection.Consume(input));
    input += bytes.substr(cut);
    input.erase(0, connection.Consume(input));
    EXPECT_TRUE(input.empty());
    ASSERT_EQ(asked_.size(), 2u);
    const auto path = [this](size_t at) {
      return std::get<model::Get>(std::get<model::Query>(asked_[at].body).body).path;
    };
    EXPECT_EQ(path(0), "/a");
    EXPECT_EQ(path(1), "/bc");
  }
}

// --- Order ------------------------------------------------------------------------------------

TEST_F(ConnectionTest, WhatTheServerKnowsByItselfHasItsPlaceInTheOrder) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  SayNothing(2, Opcode::kWhoAmI);
  EXPECT_TRUE(Hear().empty());
  Answer(Node(5), 11);
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].xid, 1);
  EXPECT_EQ(said[0].zxid, 11);
  EXPECT_EQ(said[1].xid, 2);
}

TEST_F(ConnectionTest, AZxidNeverGoesDown) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  SayRead(2, Opcode::kGetData, "/a", false);
  Answer(Node(5), 15);
  Answer(Node(5), 12);
  const std::vector<Said> said = Hear();
  EXPECT_EQ(said[0].zxid, 15);
  EXPECT_EQ(said[1].zxid, 15);
}

// It would take what it has not seen for seen, and miss it when it sets its watches again.
TEST_F(ConnectionTest, AZxidSaysNoMoreThanWhatWasShown) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  told_ = model::Revision(50);
  Answer(Node(5), 20);
  EXPECT_EQ(Hear().back().zxid, 20);
  connection_.Tell(nullptr, model::Revision(30), "");
  SayRead(2, Opcode::kGetData, "/a", false);
  Answer(Node(5), 25);
  EXPECT_EQ(Hear().back().zxid, 30);
}

TEST_F(ConnectionTest, AFullInboxPausesTheClient) {
  Open();
  full_ = true;
  SayRead(1, Opcode::kGetData, "/a", false);
  EXPECT_TRUE(asked_.empty());
  EXPECT_FALSE(connection_.wants_input());
  full_ = false;
  connection_.RoomAgain();
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_TRUE(connection_.wants_input());
}

TEST_F(ConnectionTest, TooManyRequestsPauseTheClient) {
  Open();
  const size_t at_first = connection_.outstanding_max();
  for (size_t i = 0; i < at_first; ++i) SayNothing(jute::kPingXid, Opcode::kPing);
  EXPECT_FALSE(connection_.wants_input());
  Answer(model::Reply(), 11);
  EXPECT_TRUE(connection_.wants_input());
}

TEST_F(ConnectionTest, LargeAnswersArePausedForEarlier) {
  Open();
  const auto ask = [&](size_t bytes) {
    SayRead(1, Opcode::kGetData, "/a", false);
    model::Reply reply;
    reply.result = model::OperationResult{.data = std::string(bytes, 'x')};
    Answer(std::move(reply), 11);
    connection_.output()->clear();
  };
  ask(900'000);
  EXPECT_LE(connection_.outstanding_max() * 900'000, Connection::kAnswerBytesMax);
  for (int i = 0; i < 100; ++i) ask(10);
  EXPECT_EQ(connection_.outstanding_max(), Connection::kOutstandingMax);
}

TEST_F(ConnectionTest, WhatIsMoreThanAClientTakesIsRefused) {
  Open();
  const size_t around = 16 + 4 + 68;  // the header, the length of the data, and the Stat
  const size_t most = Options().reply_bytes_max - around;
  const auto get = [this](size_t bytes) {
    SayRead(1, Opcode::kGetData, "/a", true);
    model::Reply reply;
    reply.result = model::OperationResult{.data = std::string(bytes, 'x')};
    Answer(std::move(reply), 11);
    return Hear();
  };
  std::vector<Said> said = get(most + 1);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].error, ErrorCode::kMarshallingError);
  EXPECT_EQ(said[0].zxid, 11);
  EXPECT_EQ(said[0].record, "");
  EXPECT_EQ(answered_.back(), Reason::kTooLarge);
  // Who was told nothing watches nothing, and goes on.
  EXPECT_EQ(watches_.watches(), 0u);
  said = get(most);
  EXPECT_EQ(said[0].error, ErrorCode::kOk);
  EXPECT_EQ(said[0].record.size(), 4 + most + 68);
  EXPECT_EQ(watches_.watches(), 1u);
}

TEST_F(ConnectionTest, PartsThatAreTogetherMoreThanAClientTakesAreRefused) {
  Open();
  Say(1, Opcode::kMultiRead, [](FrameWriter& frame) {
    for (int i = 0; i < 2; ++i) {
      frame.MultiHeader(Opcode::kGetData, false, ErrorCode::kOk);
      frame.String("/a");
      frame.Bool(false);
    }
    frame.MultiHeader(Opcode::kError, true, ErrorCode::kOk);
  });
  for (int i = 0; i < 2; ++i) {
    model::Reply reply;
    reply.result = model::OperationResult{.data = std::string(600'000, 'x')};
    Answer(std::move(reply), 11);
  }
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].error, ErrorCode::kMarshallingError);
  EXPECT_EQ(said[0].record, "");
}

// It was done: there is no other way to say so.
TEST_F(ConnectionTest, AWriteIsAnsweredHoweverMuchThereIsToSay) {
  Open();
  Say(1, Opcode::kMulti, [](FrameWriter& frame) {
    frame.MultiHeader(Opcode::kCreate, false, ErrorCode::kOk);
    frame.String("/a");
    frame.String("");
    frame.Acl({{model::kAllPermissions, acl::kAnyone}});
    frame.Int(0);
    frame.MultiHeader(Opcode::kError, true, ErrorCode::kOk);
  });
  model::Reply reply;
  reply.result = model::TransactionResult{.results = {{.path = std::string(1'000'000, 'a')}}};
  Answer(std::move(reply), 11);
  const std::vector<Said> said = Hear();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].error, ErrorCode::kOk);
  EXPECT_GT(said[0].record.size(), 1'000'000u);
}

TEST_F(ConnectionTest, TheLastAnswerIsThatOfClose) {
  Open();
  SayNothing(9, Opcode::kCloseSession);
  EXPECT_EQ(AskedCommand<model::CloseSession>().session, model::SessionId(kSession));
  EXPECT_FALSE(connection_.wants_input());
  Answer(model::Reply(), 12);
  EXPECT_EQ(Hear().back().xid, 9);
  EXPECT_TRUE(connection_.ended());
  EXPECT_EQ(connection_.why(), "");
}

TEST_F(ConnectionTest, ASessionThatHasMovedEndsTheConnectionWithoutAWord) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  Answer(Reason::kSessionMoved, 12);
  EXPECT_TRUE(Hear().empty());
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ConnectionTest, AnUnknownOpcodeIsSaidToBeOneAndEndsTheConnection) {
  Open();
  SayNothing(1, static_cast<Opcode>(20));
  EXPECT_EQ(Hear().back().error, ErrorCode::kUnimplemented);
  EXPECT_TRUE(connection_.ended());
}

TEST_F(ConnectionTest, ARecordThatCannotBeReadIsAnError) {
  Open();
  SayNothing(1, Opcode::kGetData);
  EXPECT_EQ(Hear().back().error, ErrorCode::kMarshallingError);
  EXPECT_FALSE(connection_.ended());
}

TEST_F(ConnectionTest, ABadPathIsAMissingNodeToReadsButForANulInExists) {
  Open();
  using std::string_literals::operator""s;
  const auto code = [this](Opcode opcode, const std::string& path) {
    SayRead(1, opcode, path, false);
    Answer(model::Reply::Failure({.reason = Reason::kInvalidPath, .path = path}), 11);
    return Hear().back().error;
  };
  for (const Opcode opcode : {Opcode::kExists, Opcode::kGetData, Opcode::kGetChildren}) {
    EXPECT_EQ(code(opcode, "/a/."), ErrorCode::kNoNode);
    EXPECT_EQ(code(opcode, "/\0"s),
              opcode == Opcode::kExists ? ErrorCode::kBadArguments : ErrorCode::kNoNode);
  }
}

// --- Watches ----------------------------------------------------------------------------------

TEST_F(ConnectionTest, AReadLeavesItsWatchWhenItIsAnswered) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", true);
  EXPECT_EQ(watches_.watches(), 0u);
  Answer(Node(5), 11);
  EXPECT_TRUE(watches_.Has("/a", 2, kId));
  SayRead(2, Opcode::kGetData, "/b", true);
  Answer(Reason::kNoNode, 11);
  EXPECT_FALSE(watches_.Has("/b", 3, kId));
  SayRead(3, Opcode::kExists, "/b", true);
  Answer(Reason::kNoNode, 11);
  EXPECT_TRUE(watches_.Has("/b", 2, kId));
  SayRead(4, Opcode::kExists, "/c", true);
  Answer(Reason::kPermissionDenied, 11);
  EXPECT_FALSE(watches_.Has("/c", 3, kId));
  SayRead(5, Opcode::kGetChildren, "/d", true);
  model::Reply names;
  names.result = model::NamesResult{};
  Answer(std::move(names), 11);
  EXPECT_TRUE(watches_.Has("/d", 1, kId));
}

TEST_F(ConnectionTest, WatchesThatAreSetAgainTellWhatWasMissed) {
  Open();
  Say(jute::kSetWatchesXid, Opcode::kSetWatches2, [](FrameWriter& frame) {
    frame.Long(100);
    frame.Strings({"/gone", "/changed", "/same"});
    frame.Strings({"/came", "/absent"});
    frame.Strings({"/gone", "/grown", "/same"});
    frame.Strings({"/p"});
    frame.Strings({"/r"});
  });
  const auto stat = [](uint64_t modified, uint64_t children) {
    model::Stat stat;
    stat.modify_revision = model::Revision(modified);
    stat.children_revision = model::Revision(children);
    return std::optional<model::Stat>(stat);
  };
  model::Reply reply;
  reply.result = model::StatsResult{{std::nullopt, stat(101, 1), stat(100, 1), stat(7, 7),
                                     std::nullopt, std::nullopt, stat(1, 101), stat(101, 100)}};
  Answer(std::move(reply), 200);
  std::vector<std::string> events;
  for (const Said& said : Hear()) {
    if (said.xid != jute::kNotificationXid) continue;
    EXPECT_EQ(said.zxid, -1);
    jute::Reader record(said.record);
    const int32_t type = record.Int();
    (void)record.Int();
    events.push_back(std::to_string(type) + record.String());
  }
  EXPECT_EQ(events,
            (std::vector<std::string>{"2/gone", "3/changed", "1/came", "2/gone", "4/grown"}));
  EXPECT_TRUE(watches_.Has("/same", 2, kId));
  EXPECT_TRUE(watches_.Has("/same", 1, kId));
  EXPECT_TRUE(watches_.Has("/absent", 2, kId));
  EXPECT_TRUE(watches_.Has("/p", 4, kId));
  EXPECT_TRUE(watches_.Has("/r", 5, kId));
  EXPECT_EQ(watches_.watches(), 5u);
}

TEST_F(ConnectionTest, WatchesAreAddedCheckedAndRemoved) {
  Open();
  const auto say = [&](Opcode type, int32_t number) {
    Say(1, type, [&](FrameWriter& frame) {
      frame.String("/a");
      frame.Int(number);
    });
    return Hear().back().error;
  };
  EXPECT_EQ(say(Opcode::kAddWatch, 2), ErrorCode::kMarshallingError);
  EXPECT_EQ(say(Opcode::kAddWatch, 1), ErrorCode::kOk);
  EXPECT_EQ(say(Opcode::kCheckWatches, 5), ErrorCode::kOk);
  EXPECT_EQ(say(Opcode::kCheckWatches, 4), ErrorCode::kNoWatcher);
  for (const int32_t unknown : {-1, 0, 6, 9}) {
    EXPECT_EQ(say(Opcode::kCheckWatches, unknown), ErrorCode::kMarshallingError) << unknown;
    EXPECT_EQ(say(Opcode::kRemoveWatches, unknown), ErrorCode::kMarshallingError) << unknown;
  }
  EXPECT_EQ(say(Opcode::kRemoveWatches, 3), ErrorCode::kOk);
  EXPECT_EQ(say(Opcode::kRemoveWatches, 3), ErrorCode::kNoWatcher);
}

TEST_F(ConnectionTest, EventsAreForWhoMayRead) {
  Open();
  const model::Acl closed = {{model::kRead, {"digest", acl::DigestOf("a:b")}}};
  connection_.Tell(&closed, {}, "frame");
  EXPECT_TRUE(connection_.output()->empty());
  connection_.Tell(nullptr, {}, "frame");
  EXPECT_EQ(*connection_.output(), "frame");
  connection_.output()->clear();
  Authenticate("digest", "a:b");
  connection_.output()->clear();
  connection_.Tell(&closed, {}, "frame");
  EXPECT_EQ(*connection_.output(), "frame");
}

TEST_F(ConnectionTest, WhoNeverReadsIsSentAway) {
  Open();
  const std::string frame(size_t{1} << 20, 'x');
  for (int i = 0; i < 40 && !connection_.ended(); ++i) connection_.Tell(nullptr, {}, frame);
  EXPECT_TRUE(connection_.ended());
  EXPECT_LT(connection_.output()->size(), Connection::kUnreadEventBytesMax + 2 * frame.size());
}

// --- For operators ----------------------------------------------------------------------------

TEST_F(ConnectionTest, WhatWentOverItIsCounted) {
  Open();
  EXPECT_STREQ(connection_.Row().last_operation, "SESS");
  now_ = {std::chrono::milliseconds(100)};
  SayRead(4, Opcode::kGetData, "/a", false);
  SayNothing(jute::kPingXid, Opcode::kPing);
  EXPECT_EQ(connection_.Row().outstanding, 2u);
  now_ = {std::chrono::milliseconds(103)};
  Answer(Node(5), 11);
  now_ = {std::chrono::milliseconds(105)};
  Answer(model::Reply(), 12);
  connection_.Tell(nullptr, model::Revision(13), "event");

  const ConnectionRow row = connection_.Row();
  EXPECT_EQ(row.session, model::SessionId(kSession));
  EXPECT_EQ(row.timeout_ms, 30'000);
  EXPECT_EQ(row.traffic.received, 3u);
  EXPECT_EQ(row.traffic.sent, 4u);
  EXPECT_EQ(row.traffic.latency.min, std::chrono::milliseconds(3));
  EXPECT_EQ(row.traffic.latency.max, std::chrono::milliseconds(5));
  EXPECT_EQ(row.traffic.latency.average_ms(), 4);
  EXPECT_STREQ(row.last_operation, "PING");
  EXPECT_EQ(row.last_xid, 4);  // of what the client asked for
  EXPECT_EQ(row.last_zxid, 12);
  EXPECT_EQ(row.last_response, now_);
  EXPECT_EQ(traffic_.sent, row.traffic.sent);

  connection_.ResetStats();
  EXPECT_EQ(connection_.Row().traffic.sent, 0u);
  EXPECT_STREQ(connection_.Row().last_operation, "NA");
  EXPECT_EQ(connection_.Row().last_xid, -1);
  EXPECT_EQ(traffic_.sent, 4u);
}

TEST_F(ConnectionTest, AWordIsAnsweredInsteadOfAGreeting) {
  connection_.TakeWord();
  EXPECT_EQ(connection_.Row().traffic.received, 1u);
  EXPECT_FALSE(connection_.wants_input());
  EXPECT_FALSE(connection_.ended());
  connection_.AnswerWord("imok");
  EXPECT_EQ(*connection_.output(), "imok");
  EXPECT_TRUE(connection_.ended());
}

// --- Identities -------------------------------------------------------------------------------

TEST_F(ConnectionTest, AuthIsAnsweredAtOnce) {
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  Authenticate("digest", "ada:pw");
  ASSERT_EQ(Hear().size(), 1u);
  SayRead(2, Opcode::kGetData, "/a", false);
  const auto& query = std::get<model::Query>(asked_.back().body);
  EXPECT_EQ(query.identities.back(), (model::Identity{"digest", acl::DigestOf("ada:pw")}));
  Authenticate("digest", "super:secret");
  SayRead(3, Opcode::kGetData, "/a", false);
  EXPECT_TRUE(acl::IsSuper(std::get<model::Query>(asked_.back().body).identities));
}

TEST_F(ConnectionTest, ADigestWithoutAPasswordIsAUserToo) {
  Open();
  for (const std::string& credential : {std::string("nobody"), std::string()}) {
    Authenticate("digest", credential);
    EXPECT_EQ(Hear().back().error, ErrorCode::kOk) << credential;
    SayRead(3, Opcode::kGetData, "/a", false);
    EXPECT_EQ(std::get<model::Query>(asked_.back().body).identities.back(),
              (model::Identity{"digest", acl::DigestOf(credential)}));
  }
  EXPECT_EQ(acl::DigestOf("nobody").substr(0, 7), "nobody:");
}

TEST_F(ConnectionTest, ACredentialThatIsNotUnderstoodEndsTheConnection) {
  Open();
  Authenticate("kerberos", "ada");
  EXPECT_EQ(Hear().back().error, ErrorCode::kAuthFailed);
  EXPECT_TRUE(connection_.ended());
  EXPECT_EQ(denied_, (std::vector<std::string>{"zookeeper/auth ip:10.0.0.1  UNAUTHENTICATED"}));
}

TEST_F(ConnectionTest, ACertificateIsAnIdentity) {
  connection_.AddIdentity({"x509", "CN=ada"});
  Open();
  SayRead(1, Opcode::kGetData, "/a", false);
  const auto& identities = std::get<model::Query>(asked_.back().body).identities;
  EXPECT_EQ(identities.back(), (model::Identity{"x509", "CN=ada"}));
}

TEST_F(ConnectionTest, WhatIsDeniedGoesOnRecord) {
  Open();
  Authenticate("digest", "ada:pw");
  SayRead(1, Opcode::kGetData, "/a", false);
  Answer(model::Reply::Failure({.reason = Reason::kPermissionDenied, .path = "/a"}), 11);
  Say(2, Opcode::kMultiRead, [](FrameWriter& frame) {
    for (const char* path : {"/b", "/c"}) {
      frame.MultiHeader(Opcode::kGetData, false, ErrorCode::kSystemError);
      frame.String(path);
      frame.Bool(false);
    }
    frame.MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
  });
  Answer(Node(5), 11);
  Answer(model::Reply::Failure({.reason = Reason::kPermissionDenied, .path = "/c"}), 11);
  SayRead(3, Opcode::kGetData, "/d", false);
  Answer(Reason::kNoNode, 11);
  EXPECT_EQ(denied_, (std::vector<std::string>{
                         "zookeeper/getData ip:10.0.0.1 digest:ada /a PERMISSION_DENIED",
                         "zookeeper/multiRead ip:10.0.0.1 digest:ada /c PERMISSION_DENIED"}));
}

TEST_F(ConnectionTest, AWrongPasswordGoesOnRecord) {
  prepared_ = true;
  Greet(kSession);
  Answer(model::Reply(), 20);
  Answer(Reason::kUnauthenticated, 20);
  EXPECT_TRUE(connection_.ended());
  EXPECT_EQ(denied_,
            (std::vector<std::string>{"zookeeper/createSession ip:10.0.0.1  UNAUTHENTICATED"}));
}

// --- Creates ----------------------------------------------------------------------------------

TEST_F(ConnectionTest, OnlyACreateWithATtlHasTheFlagsOfOne) {
  Open();
  const auto say = [&](Opcode opcode, int32_t flags) {
    const size_t before = asked_.size();
    Say(1, opcode, [&](FrameWriter& frame) {
      frame.String("/a");
      frame.Buffer("x");
      frame.Acl(model::OpenAcl());
      frame.Int(flags);
      if (opcode == Opcode::kCreateTtl) frame.Long(0);
    });
    const bool asked = asked_.size() > before;
    if (asked) Answer(Node(11), 11);
    EXPECT_EQ(Hear().back().error, asked ? ErrorCode::kOk : ErrorCode::kBadArguments);
    return asked;
  };
  for (const Opcode opcode : {Opcode::kCreate, Opcode::kCreate2, Opcode::kCreateContainer}) {
    for (const int32_t flags : {0, 3, 4}) EXPECT_TRUE(say(opcode, flags)) << flags;
    for (const int32_t flags : {-1, 5, 6, 7}) EXPECT_FALSE(say(opcode, flags)) << flags;
  }
  for (const int32_t flags : {5, 6}) EXPECT_TRUE(say(Opcode::kCreateTtl, flags)) << flags;
  for (const int32_t flags : {-1, 0, 3, 4, 7}) EXPECT_FALSE(say(Opcode::kCreateTtl, flags));
}

// So that it is refused in its place among the checks.
TEST_F(ConnectionTest, AListOfNobodyIsLeftToTheMachineToRefuse) {
  Open();
  Say(1, Opcode::kCreate, [](FrameWriter& frame) {
    frame.String("a");
    frame.Buffer("x");
    frame.Int(0);
    frame.Int(2);
  });
  model::Acl resolved;
  const auto& create = AskedCommand<model::Create>();
  EXPECT_EQ(acl::Resolve(create.acl, {}, &resolved).reason, Reason::kInvalidAcl);
  Say(2, Opcode::kSetAcl, [](FrameWriter& frame) {
    frame.String("a");
    frame.Int(-1);
    frame.Int(2);
  });
  EXPECT_EQ(acl::Resolve(AskedCommand<model::SetAcl>(1).acl, {}, &resolved).reason,
            Reason::kInvalidAcl);
}

// --- Multi ------------------------------------------------------------------------------------

TEST_F(ConnectionTest, APartThatIsRefusedHereFailsInItsPlace) {
  Open();
  Say(1, Opcode::kMulti, [](FrameWriter& frame) {
    frame.MultiHeader(Opcode::kSetData, false, ErrorCode::kSystemError);
    frame.String("/a");
    frame.Buffer("x");
    frame.Int(-1);
    frame.MultiHeader(Opcode::kDelete, false, ErrorCode::kSystemError);
    frame.String("/zookeeper");
    frame.Int(-1);
    frame.MultiHeader(Opcode::kDelete, false, ErrorCode::kSystemError);
    frame.String("/c");
    frame.Int(-1);
    frame.MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
  });
  ASSERT_EQ(AskedCommand<model::Transaction>().then_operations.size(), 2u);
  model::Reply reply = model::Reply::Failure({.reason = Reason::kInvalidPath});
  reply.result = model::TransactionResult{.compared_true = true, .failed_operation = 1};
  Answer(std::move(reply), 12);
  const Said said = Hear().back();
  EXPECT_EQ(said.error, ErrorCode::kOk);
  jute::Reader record(said.record);
  std::vector<int32_t> errors;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(record.Int(), -1);
    EXPECT_FALSE(record.Bool());
    errors.push_back(record.Int());
    EXPECT_EQ(record.Int(), errors.back());
  }
  EXPECT_EQ(errors, (std::vector<int32_t>{0, -8, -2}));
  EXPECT_EQ(record.Int(), -1);
  EXPECT_TRUE(record.Bool());
}

// What a create of a multi makes, and what its result looks like.
TEST_F(ConnectionTest, InAMultiTheFlagsSayWhatACreateIs) {
  Open();
  struct Case {
    Opcode opcode;
    int32_t flags;
    model::NodeKind kind;
    int32_t answer;  // the opcode of the result; 15 has a Stat
  };
  using model::NodeKind;
  for (const Case& one : {Case{Opcode::kCreate, 0, NodeKind::kPersistent, 1},
                          Case{Opcode::kCreate, 4, NodeKind::kContainer, 15},
                          Case{Opcode::kCreate2, 1, NodeKind::kEphemeral, 15},
                          Case{Opcode::kCreateContainer, 4, NodeKind::kContainer, 15},
                          Case{Opcode::kCreateTtl, 0, NodeKind::kPersistent, 1},
                          Case{Opcode::kCreateTtl, 4, NodeKind::kContainer, 15},
                          Case{Opcode::kCreateTtl, 5, NodeKind::kTtl, 15}}) {
    SCOPED_TRACE(static_cast<int>(one.opcode) * 10 + one.flags);
    Say(1, Opcode::kMulti, [&](FrameWriter& frame) {
      frame.MultiHeader(one.opcode, false, ErrorCode::kSystemError);
      frame.String("/a");
      frame.Buffer("x");
      frame.Acl(model::OpenAcl());
      frame.Int(one.flags);
      if (one.opcode == Opcode::kCreateTtl) frame.Long(5);
      frame.MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
    });
    const auto& create =
        std::get<model::Create>(AskedCommand<model::Transaction>().then_operations[0]);
    EXPECT_EQ(create.kind, one.kind);
    EXPECT_EQ(create.ttl_ms, one.kind == NodeKind::kTtl ? 5 : 0);
    model::Reply reply;
    reply.result = model::TransactionResult{.compared_true = true, .results = {{.path = "/a"}}};
    Answer(std::move(reply), 12);
    EXPECT_EQ(jute::Reader(Hear().back().record).Int(), one.answer);
  }
}

}  // namespace
}  // namespace pando::zookeeper
