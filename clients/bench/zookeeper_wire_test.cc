#include "bench/zookeeper_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "bench/recorded_listener.h"
#include "jute/decode.h"
#include "jute/encode.h"

namespace pando::load {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A wire, and a server that does what the test says.
class ZooKeeperWireTest : public ::testing::Test {
 protected:
  ZooKeeperWireTest() {
    wire_.Open();
    Sent();
  }

  void Greet() {
    std::string frame;
    jute::AppendConnectResponse({10'000, 77, std::string(jute::kPasswordBytes, 'p'), false},
                                &frame);
    Receive(frame);
  }
  void GreetAndForget() {
    Greet();
    told_.Take();
  }

  void Receive(const std::string& bytes) { ASSERT_TRUE(wire_.Read(bytes).ok()); }

  // The payloads of what the wire sent since the last time.
  std::vector<std::string> Sent() {
    std::string bytes;
    wire_.Write(&bytes);
    std::vector<std::string> payloads;
    while (!bytes.empty()) {
      const auto size = static_cast<size_t>(static_cast<uint8_t>(bytes[2])) << 8 |
                        static_cast<size_t>(static_cast<uint8_t>(bytes[3]));
      payloads.push_back(bytes.substr(4, size));
      bytes.erase(0, 4 + size);
    }
    return payloads;
  }
  // The one request that it sent.
  template <class Record>
  Record SentRequest() {
    const std::vector<std::string> payloads = Sent();
    EXPECT_EQ(payloads.size(), 1u);
    jute::Request request;
    EXPECT_EQ(jute::DecodeRequest(payloads.at(0), &header_, &request), jute::Decoded::kOk);
    EXPECT_TRUE(std::holds_alternative<Record>(request));
    return std::get<Record>(request);
  }

  // The answer to the request that was seen last.
  std::string Reply(jute::ErrorCode error = jute::ErrorCode::kOk) {
    std::string frame;
    jute::AppendReply({header_.xid, 1, error}, &frame);
    return frame;
  }
  std::string ReplyWithPath(const std::string& path) {
    std::string frame;
    {
      jute::FrameWriter writer(&frame, jute::ReplyHeader{header_.xid, 1, jute::ErrorCode::kOk});
      writer.String(path);
    }
    return frame;
  }
  std::string ReplyWithNames(const std::vector<std::string>& names) {
    std::string frame;
    {
      jute::FrameWriter writer(&frame, jute::ReplyHeader{header_.xid, 1, jute::ErrorCode::kOk});
      writer.Strings(names);
    }
    return frame;
  }

  void Ask(Operation::Kind kind, const std::string& path, uint32_t tag) {
    Operation operation;
    operation.kind = kind;
    operation.paths = {path};
    operation.data = "data";
    wire_.Ask(operation, Tag{tag});
  }

  RecordedListener told_;
  ZooKeeperWire wire_{&told_};
  jute::RequestHeader header_;
};

TEST_F(ZooKeeperWireTest, ItIsReadyOnceTheServerHasGreeted) {
  EXPECT_THAT(told_.Take(), IsEmpty());
  Greet();
  EXPECT_THAT(told_.Take(), ElementsAre("ready"));
}

TEST_F(ZooKeeperWireTest, ARefusedSessionIsAFailure) {
  std::string frame;
  jute::AppendConnectResponse({0, 0, std::string(jute::kPasswordBytes, '\0'), false}, &frame);
  EXPECT_FALSE(wire_.Read(frame).ok());
}

TEST_F(ZooKeeperWireTest, FramesComeInPiecesOfAnySize) {
  GreetAndForget();
  Ask(Operation::Kind::kGet, "/a", 1);
  SentRequest<jute::Read>();
  const std::string first = Reply();
  Ask(Operation::Kind::kGet, "/b", 2);
  SentRequest<jute::Read>();
  for (const char byte : first + Reply()) Receive(std::string(1, byte));
  EXPECT_THAT(told_.Take(), ElementsAre("1 done", "2 done"));
}

TEST_F(ZooKeeperWireTest, ErrorsAreToldAndANodeThatExistsIsToldApart) {
  GreetAndForget();
  Ask(Operation::Kind::kCreate, "/a", 4);
  EXPECT_EQ(SentRequest<jute::Create>().path, "/a");
  Receive(Reply(jute::ErrorCode::kNodeExists));
  Ask(Operation::Kind::kSet, "/a", 5);
  EXPECT_EQ(SentRequest<jute::SetData>().data, "data");
  Receive(Reply(jute::ErrorCode::kNoNode));
  EXPECT_THAT(told_.Take(),
              ElementsAre("4 exists: ZooKeeper's error -110", "5 failed: ZooKeeper's error -101"));
}

TEST_F(ZooKeeperWireTest, AMultiFailsWithOneOfItsParts) {
  GreetAndForget();
  const auto multi = [&](jute::ErrorCode second) {
    Operation operation;
    operation.kind = Operation::Kind::kMulti;
    operation.paths = {"/a", "/b"};
    wire_.Ask(operation, Tag{1});
    EXPECT_EQ(SentRequest<jute::Multi>().parts.size(), 2u);
    std::string frame;
    {
      jute::FrameWriter writer(&frame, jute::ReplyHeader{header_.xid, 1, jute::ErrorCode::kOk});
      for (const jute::ErrorCode error : {jute::ErrorCode::kOk, second}) {
        writer.MultiHeader(jute::Opcode::kError, false, error);
        writer.Int(static_cast<int32_t>(error));
      }
      writer.MultiHeader(jute::Opcode::kError, true, jute::ErrorCode::kSystemError);
    }
    Receive(frame);
  };
  multi(jute::ErrorCode::kOk);
  multi(jute::ErrorCode::kNoNode);
  EXPECT_THAT(told_.Take(), ElementsAre("1 done", "1 failed: ZooKeeper's error -101"));
}

TEST_F(ZooKeeperWireTest, AReplyToNothingMakesNoSense) {
  GreetAndForget();
  Ask(Operation::Kind::kGet, "/a", 1);
  SentRequest<jute::Read>();
  ++header_.xid;
  EXPECT_FALSE(wire_.Read(Reply()).ok());
}

TEST_F(ZooKeeperWireTest, EachSessionHasAConnectionOfItsOwnButTheFirst) {
  GreetAndForget();
  for (const uint32_t tag : {1u, 2u}) {
    Ask(Operation::Kind::kSession, "/s", tag);
    if (tag == 2) {
      EXPECT_EQ(wire_.state(), Wire::State::kWantsAnother);
      EXPECT_THAT(Sent(), IsEmpty());
      wire_.Open();
      EXPECT_EQ(Sent().size(), 1u);  // the greeting
      Greet();
    }
    EXPECT_EQ(SentRequest<jute::Create>().flags, 1);
    Receive(ReplyWithPath("/s"));
    SentRequest<jute::CloseSession>();
    Receive(Reply());
    EXPECT_THAT(told_.Take(), ElementsAre(std::to_string(tag) + " done"));
    EXPECT_EQ(wire_.state(), Wire::State::kOver);
  }
}

TEST_F(ZooKeeperWireTest, AFreeLockIsHeldAtOnce) {
  GreetAndForget();
  Ask(Operation::Kind::kLock, "/lock", 0);
  EXPECT_EQ(SentRequest<jute::Create>().flags, 3);
  Receive(ReplyWithPath("/lock/place-0000000007"));
  EXPECT_EQ(SentRequest<jute::Read>().path, "/lock");
  Receive(ReplyWithNames({"place-0000000009", "place-0000000007"}));
  EXPECT_THAT(told_.Take(), ElementsAre("0 done"));
  Ask(Operation::Kind::kUnlock, "/lock", 0);
  EXPECT_EQ(SentRequest<jute::Delete>().path, "/lock/place-0000000007");
  Receive(Reply());
  EXPECT_THAT(told_.Take(), ElementsAre("0 done"));
}

TEST_F(ZooKeeperWireTest, ALockIsWaitedForAtThePlaceAhead) {
  GreetAndForget();
  Ask(Operation::Kind::kLock, "/lock", 0);
  SentRequest<jute::Create>();
  Receive(ReplyWithPath("/lock/place-0000000007"));
  SentRequest<jute::Read>();
  Receive(ReplyWithNames({"place-0000000007", "place-0000000006", "place-0000000005"}));
  const auto ahead = SentRequest<jute::Read>();
  EXPECT_EQ(ahead.path, "/lock/place-0000000006");
  EXPECT_TRUE(ahead.watch);
  // It has gone meanwhile: whoever is ahead now is looked for.
  Receive(Reply(jute::ErrorCode::kNoNode));
  SentRequest<jute::Read>();
  Receive(ReplyWithNames({"place-0000000005", "place-0000000007"}));
  EXPECT_EQ(SentRequest<jute::Read>().path, "/lock/place-0000000005");
  Receive(Reply());
  EXPECT_THAT(told_.Take(), IsEmpty());
  std::string event;
  jute::AppendEvent(jute::EventType::kNodeDeleted, "/lock/place-0000000005", 9, &event);
  Receive(event);
  SentRequest<jute::Read>();
  Receive(ReplyWithNames({"place-0000000007"}));
  EXPECT_THAT(told_.Take(), ElementsAre("0 done"));
}

TEST_F(ZooKeeperWireTest, EventsGoToTheWatch) {
  GreetAndForget();
  Ask(Operation::Kind::kSync, "/w", 3);
  EXPECT_EQ(SentRequest<jute::Sync>().path, "/w");
  Receive(ReplyWithPath("/w"));
  EXPECT_THAT(told_.Take(), ElementsAre("3 done"));
  Ask(Operation::Kind::kWatch, "/w", 3);
  EXPECT_EQ(SentRequest<jute::AddWatch>().mode, 0);
  Receive(Reply());
  std::string event;
  jute::AppendEvent(jute::EventType::kNodeDataChanged, "/w", 9, &event);
  Receive(event);
  EXPECT_THAT(told_.Take(), ElementsAre("3 done", "3 saw 1"));
}

TEST_F(ZooKeeperWireTest, ABeatIsAPingThatIsNoOperation) {
  wire_.Beat();  // before the greeting there is no session to keep
  EXPECT_THAT(Sent(), IsEmpty());
  GreetAndForget();
  wire_.Beat();
  SentRequest<jute::Ping>();
  EXPECT_EQ(header_.xid, jute::kPingXid);
  Receive(Reply());
  EXPECT_THAT(told_.Take(), IsEmpty());
}

TEST_F(ZooKeeperWireTest, LeavingClosesTheSession) {
  GreetAndForget();
  Ask(Operation::Kind::kLeave, "", 0);
  SentRequest<jute::CloseSession>();
  Receive(Reply());
  EXPECT_THAT(told_.Take(), ElementsAre("0 done"));
  EXPECT_EQ(wire_.state(), Wire::State::kOver);
  Ask(Operation::Kind::kLeave, "", 0);
  EXPECT_THAT(told_.Take(), ElementsAre("0 done"));
}

}  // namespace
}  // namespace pando::load
