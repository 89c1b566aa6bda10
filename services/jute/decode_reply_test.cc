#include "jute/decode_reply.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "jute/encode.h"
#include "jute/testing/golden.h"

namespace pando::jute {
namespace {

Bytes Names(Bytes bytes) { return bytes.Int(2).Text("a").Text("bc"); }

template <class T>
T Decode(Opcode type, const Bytes& bytes) {
  Record record;
  EXPECT_TRUE(DecodeRecord(type, bytes.str(), &record));
  EXPECT_TRUE(std::holds_alternative<T>(record)) << static_cast<int>(type);
  return std::get<T>(record);
}

// A reply's record for each opcode that has one.
struct Golden {
  Opcode type;
  Bytes record;
};
std::vector<Golden> EveryRecord() {
  const auto stat = [](Bytes bytes) { return StatOfElevenNumbers(bytes); };
  return {
      {Opcode::kCreate, Bytes().Text("/a")},
      {Opcode::kCreate2, stat(Bytes().Text("/a"))},
      {Opcode::kCreateContainer, stat(Bytes().Text("/a"))},
      {Opcode::kCreateTtl, stat(Bytes().Text("/a"))},
      {Opcode::kExists, stat(Bytes())},
      {Opcode::kSetData, stat(Bytes())},
      {Opcode::kSetAcl, stat(Bytes())},
      {Opcode::kGetData, stat(Bytes().Text("data"))},
      {Opcode::kReconfig, stat(Bytes().Text("data"))},
      {Opcode::kGetAcl, stat(OpenAcl(Bytes()))},
      {Opcode::kGetChildren, Names(Bytes())},
      {Opcode::kGetChildren2, stat(Names(Bytes()))},
      {Opcode::kGetEphemerals, Names(Bytes())},
      {Opcode::kSync, Bytes().Text("/a")},
      {Opcode::kGetAllChildrenNumber, Bytes().Int(12)},
      {Opcode::kWhoAmI, Bytes().Int(1).Text("digest").Text("ada")},
      {Opcode::kSasl, Bytes().Text("token")},
      {Opcode::kAddWatch, Bytes().Int(0)},
  };
}

TEST(DecodeConnectResponseTest, Has36Or37Bytes) {
  for (const std::optional<bool> read_only : {std::optional<bool>(), std::optional(true)}) {
    Bytes bytes = Bytes().Int(0).Int(4'000).Long(5).Text("0123456789abcdef");
    if (read_only) bytes.Byte(1);
    ConnectResponse response;
    for (size_t size = 0; size < 36; ++size) {
      EXPECT_FALSE(DecodeConnectResponse(bytes.str().substr(0, size), &response)) << size;
    }
    ASSERT_TRUE(DecodeConnectResponse(bytes.str(), &response));
    EXPECT_EQ(response.timeout_ms, 4'000);
    EXPECT_EQ(response.session_id, 5);
    EXPECT_EQ(response.password, "0123456789abcdef");
    EXPECT_EQ(response.read_only, read_only);
    std::string out;
    AppendConnectResponse(response, &out);
    EXPECT_EQ(out, Bytes().Text(bytes.str()).str());
    if (!read_only) continue;
    ASSERT_TRUE(DecodeConnectResponse(bytes.str().substr(0, 36), &response));
    EXPECT_FALSE(response.read_only.has_value());
  }
}

TEST(DecodeReplyTest, TheHeaderAndWhatFollows) {
  const Bytes bytes = Bytes().Int(-4).Long(1L << 40).Int(-115);
  ReplyHeader header;
  std::string_view record;
  for (size_t size = 0; size < bytes.str().size(); ++size) {
    EXPECT_FALSE(DecodeReplyHeader(bytes.str().substr(0, size), &header, &record)) << size;
  }
  ASSERT_TRUE(DecodeReplyHeader(bytes.str(), &header, &record));
  EXPECT_EQ(header.xid, kAuthXid);
  EXPECT_EQ(header.zxid, 1L << 40);
  EXPECT_EQ(header.error, ErrorCode::kAuthFailed);
  EXPECT_EQ(record, "");
  const std::string with_record = bytes.str() + "rest";
  ASSERT_TRUE(DecodeReplyHeader(with_record, &header, &record));
  EXPECT_EQ(record, "rest");
}

TEST(DecodeReplyTest, EachRecord) {
  EXPECT_EQ(Decode<PathRecord>(Opcode::kCreate, Bytes().Text("/a")).path, "/a");
  EXPECT_EQ(Decode<PathRecord>(Opcode::kSync, Bytes().Text("/a")).stat, std::nullopt);
  const Bytes created = StatOfElevenNumbers(Bytes().Text("/a"));
  for (const Opcode type : {Opcode::kCreate2, Opcode::kCreateContainer, Opcode::kCreateTtl}) {
    EXPECT_EQ(Decode<PathRecord>(type, created).path, "/a");
    EXPECT_EQ(Decode<PathRecord>(type, created).stat, ElevenNumbers());
  }
  const Bytes stat = StatOfElevenNumbers(Bytes());
  for (const Opcode type : {Opcode::kExists, Opcode::kSetData, Opcode::kSetAcl}) {
    EXPECT_EQ(Decode<StatRecord>(type, stat).stat, ElevenNumbers());
  }
  for (const Opcode type : {Opcode::kGetData, Opcode::kReconfig}) {
    const auto read = Decode<DataRecord>(type, StatOfElevenNumbers(Bytes().Text("data")));
    EXPECT_EQ(read.data, "data");
    EXPECT_EQ(read.stat, ElevenNumbers());
    EXPECT_EQ(Decode<DataRecord>(type, StatOfElevenNumbers(Bytes().Int(-1))).data, std::nullopt);
    EXPECT_EQ(Decode<DataRecord>(type, StatOfElevenNumbers(Bytes().Int(0))).data, "");
  }
  const std::vector<std::string> names = {"a", "bc"};
  EXPECT_EQ(Decode<NamesRecord>(Opcode::kGetChildren, Names(Bytes())).names, names);
  EXPECT_EQ(Decode<NamesRecord>(Opcode::kGetEphemerals, Names(Bytes())).stat, std::nullopt);
  const auto children =
      Decode<NamesRecord>(Opcode::kGetChildren2, StatOfElevenNumbers(Names(Bytes())));
  EXPECT_EQ(children.names, names);
  EXPECT_EQ(children.stat, ElevenNumbers());
  const auto acl = Decode<AclRecord>(Opcode::kGetAcl, StatOfElevenNumbers(OpenAcl(Bytes())));
  EXPECT_EQ(acl.acl, model::OpenAcl());
  EXPECT_EQ(acl.stat, ElevenNumbers());
  EXPECT_EQ(Decode<CountRecord>(Opcode::kGetAllChildrenNumber, Bytes().Int(12)).count, 12);
  const auto who =
      Decode<IdentitiesRecord>(Opcode::kWhoAmI, Bytes().Int(1).Text("digest").Text("ada"));
  EXPECT_EQ(who.identities, (std::vector<model::Identity>{{"digest", "ada"}}));
  EXPECT_EQ(Decode<TokenRecord>(Opcode::kSasl, Bytes().Text("token")).token, "token");
}

TEST(DecodeReplyTest, MostSayNothing) {
  for (const int type : {2, 11, 13, 17, 18, 100, 101, 105, -11}) {
    Decode<NoRecord>(static_cast<Opcode>(type), Bytes());
  }
  Decode<NoRecord>(Opcode::kAddWatch, Bytes().Int(0));
}

TEST(DecodeReplyTest, WhatIsNoRequestHasNoRecord) {
  Record record;
  for (const int type : {0, 10, 14, 20, 22, 23, 99, 108, -1, -10}) {
    EXPECT_FALSE(DecodeRecord(static_cast<Opcode>(type), "", &record)) << type;
  }
}

TEST(DecodeReplyTest, CutAnywhere) {
  for (const Golden& golden : EveryRecord()) {
    const std::string& whole = golden.record.str();
    Record record;
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(DecodeRecord(golden.type, whole.substr(0, size), &record))
          << static_cast<int>(golden.type) << " cut to " << size;
    }
    EXPECT_TRUE(DecodeRecord(golden.type, whole + "more", &record));
  }
}

TEST(DecodeReplyTest, LengthsThatLie) {
  Record record;
  for (const int64_t length : {-2L, 5L, 1L << 30, (1L << 31) - 1, -(1L << 31)}) {
    const std::string bytes = Bytes().Int(length).Int(0).str();
    for (const Opcode type : {Opcode::kSync, Opcode::kGetChildren, Opcode::kWhoAmI}) {
      EXPECT_FALSE(DecodeRecord(type, bytes, &record)) << length;
    }
    EXPECT_FALSE(
        DecodeRecord(Opcode::kGetAcl, StatOfElevenNumbers(Bytes().Int(length)).str(), &record))
        << length;
  }
}

// ZooKeeper's versions wrap; so do those that are read.
TEST(DecodeReplyTest, AStatComesBackAsItWasWritten) {
  model::Stat stat = ElevenNumbers();
  stat.create_revision = model::Revision(~uint64_t{0} >> 1);
  stat.version = -2;
  std::string out;
  {
    FrameWriter frame(&out, {.xid = 1, .zxid = 2});
    frame.Stat(stat);
  }
  ReplyHeader header;
  std::string_view bytes;
  ASSERT_TRUE(DecodeReplyHeader(std::string_view(out).substr(4), &header, &bytes));
  Record record;
  ASSERT_TRUE(DecodeRecord(Opcode::kExists, bytes, &record));
  EXPECT_EQ(std::get<StatRecord>(record).stat, stat);
}

Bytes Result(Bytes bytes, int32_t type) { return bytes.Int(type).Byte(0).Int(0); }

TEST(DecodeResultsTest, OfAMultiThatIsDone) {
  Bytes bytes = Result(Bytes(), 1).Text("/a");
  bytes = StatOfElevenNumbers(Result(bytes, 15).Text("/b"));
  bytes = Result(bytes, 2);
  bytes = StatOfElevenNumbers(Result(bytes, 5));
  bytes = Result(bytes, 13);
  std::vector<PartResult> results;
  ASSERT_TRUE(DecodeResults(LastPart(bytes).str(), &results));
  ASSERT_EQ(results.size(), 5u);
  for (const PartResult& result : results) EXPECT_EQ(result.error, ErrorCode::kOk);
  EXPECT_EQ(std::get<PathRecord>(results[0].record).path, "/a");
  EXPECT_EQ(std::get<PathRecord>(results[0].record).stat, std::nullopt);
  EXPECT_EQ(std::get<PathRecord>(results[1].record).stat, ElevenNumbers());
  EXPECT_TRUE(std::holds_alternative<NoRecord>(results[2].record));
  EXPECT_EQ(std::get<StatRecord>(results[3].record).stat, ElevenNumbers());
  EXPECT_TRUE(std::holds_alternative<NoRecord>(results[4].record));
  // An empty multi has no results, and another one's do not stay.
  ASSERT_TRUE(DecodeResults(LastPart(Bytes()).str(), &results));
  EXPECT_EQ(results.size(), 0u);
}

TEST(DecodeResultsTest, OfAMultiThatFailed) {
  Bytes bytes;
  for (const int32_t error : {0, -101, -2}) bytes.Int(-1).Byte(0).Int(error).Int(error);
  std::vector<PartResult> results;
  ASSERT_TRUE(DecodeResults(LastPart(bytes).str(), &results));
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].error, ErrorCode::kOk);
  EXPECT_EQ(results[1].error, ErrorCode::kNoNode);
  EXPECT_EQ(results[2].error, ErrorCode::kRuntimeInconsistency);
}

TEST(DecodeResultsTest, OfAMultiRead) {
  Bytes bytes = StatOfElevenNumbers(Result(Bytes(), 4).Text("data"));
  bytes.Int(-1).Byte(0).Int(-102).Int(-102);
  bytes = Names(Result(bytes, 8));
  std::vector<PartResult> results;
  ASSERT_TRUE(DecodeResults(LastPart(bytes).str(), &results));
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(std::get<DataRecord>(results[0].record).data, "data");
  EXPECT_EQ(results[1].error, ErrorCode::kNoAuth);
  EXPECT_EQ(std::get<NamesRecord>(results[2].record).names.size(), 2u);
  for (size_t size = 0; size < LastPart(bytes).str().size(); ++size) {
    EXPECT_FALSE(DecodeResults(LastPart(bytes).str().substr(0, size), &results)) << size;
  }
}

TEST(DecodeResultsTest, NoOtherRecordIsAResult) {
  std::vector<PartResult> results;
  for (const int32_t type : {3, 7, 9, 11, 12, 14, 19, 21, 22, 102, 0, 99}) {
    const Bytes bytes = StatOfElevenNumbers(Result(Bytes(), type).Text("/a"));
    EXPECT_FALSE(DecodeResults(LastPart(bytes).str(), &results)) << type;
  }
}

TEST(DecodeEventTest, ComesBackAsItWasWritten) {
  for (const EventType type : {EventType::kNodeCreated, EventType::kNodeDeleted,
                               EventType::kNodeDataChanged, EventType::kNodeChildrenChanged}) {
    std::string out;
    AppendEvent(type, "/a", 5, &out);
    ReplyHeader header;
    std::string_view record;
    ASSERT_TRUE(DecodeReplyHeader(std::string_view(out).substr(4), &header, &record));
    EXPECT_EQ(header.xid, kNotificationXid);
    EXPECT_EQ(header.zxid, 5);
    Event event;
    ASSERT_TRUE(DecodeEvent(record, &event));
    EXPECT_EQ(event.type, type);
    EXPECT_EQ(event.path, "/a");
    for (size_t size = 0; size < record.size(); ++size) {
      EXPECT_FALSE(DecodeEvent(record.substr(0, size), &event)) << size;
    }
  }
}

TEST(DecodeEventTest, ClientsMakeTheOthers) {
  Event event;
  for (const int32_t type : {-1, 0, 5, 6, 7}) {
    EXPECT_FALSE(DecodeEvent(Bytes().Int(type).Int(3).Text("/a").str(), &event)) << type;
  }
}

}  // namespace
}  // namespace pando::jute
