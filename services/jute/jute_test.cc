// The layouts are those of ZooKeeper's zookeeper.jute, written out by hand here.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "jute/decode.h"
#include "jute/encode.h"

namespace pando::jute {
namespace {

// What a client would send: bytes one after the other.
class Bytes {
 public:
  Bytes& Int(int64_t value) { return Number(static_cast<uint64_t>(value), 4); }
  Bytes& Long(int64_t value) { return Number(static_cast<uint64_t>(value), 8); }
  Bytes& Byte(int value) { return Number(static_cast<uint64_t>(value), 1); }
  Bytes& Text(std::string_view text) {
    Int(static_cast<int64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  const std::string& str() const { return bytes_; }

 private:
  Bytes& Number(uint64_t value, int size) {
    while (size-- > 0) bytes_.push_back(static_cast<char>(value >> (8 * size)));
    return *this;
  }
  std::string bytes_;
};

Bytes Header(int32_t xid, int32_t type) { return Bytes().Int(xid).Int(type); }

template <class T>
T Decode(const Bytes& bytes) {
  RequestHeader header;
  Request request;
  EXPECT_EQ(DecodeRequest(bytes.str(), &header, &request), Decoded::kOk);
  EXPECT_TRUE(std::holds_alternative<T>(request));
  return std::get<T>(request);
}

Decoded Try(const Bytes& bytes) {
  RequestHeader header;
  Request request;
  return DecodeRequest(bytes.str(), &header, &request);
}

Bytes OpenAcl(Bytes bytes) { return bytes.Int(1).Int(31).Text("world").Text("anyone"); }

TEST(ConnectRequestTest, WithAndWithoutReadOnly) {
  Bytes bytes;
  bytes.Int(0).Long(77).Int(30'000).Long(0x1234).Text("0123456789abcdef");
  ASSERT_EQ(bytes.str().size(), 44u);
  ConnectRequest request;
  ASSERT_TRUE(DecodeConnectRequest(bytes.str(), &request));
  EXPECT_EQ(request.last_zxid_seen, 77);
  EXPECT_EQ(request.timeout_ms, 30'000);
  EXPECT_EQ(request.session_id, 0x1234);
  EXPECT_EQ(request.password, "0123456789abcdef");
  EXPECT_FALSE(request.read_only.has_value());
  bytes.Byte(1);
  ASSERT_TRUE(DecodeConnectRequest(bytes.str(), &request));
  EXPECT_EQ(request.read_only, true);
}

TEST(ConnectRequestTest, IsNothingWhenItIsCut) {
  Bytes bytes;
  bytes.Int(0).Long(77).Int(30'000).Long(0x1234).Text("0123456789abcdef");
  for (size_t size = 0; size < bytes.str().size(); ++size) {
    ConnectRequest request;
    EXPECT_FALSE(DecodeConnectRequest(bytes.str().substr(0, size), &request)) << size;
  }
}

TEST(ConnectResponseTest, Has36Or37Bytes) {
  ConnectResponse response{.timeout_ms = 4'000, .session_id = 5, .password = "0123456789abcdef"};
  std::string out;
  AppendConnectResponse(response, &out);
  EXPECT_EQ(out, Bytes().Int(36).Int(0).Int(4'000).Long(5).Text("0123456789abcdef").str());
  out.clear();
  response.read_only = false;
  AppendConnectResponse(response, &out);
  EXPECT_EQ(out, Bytes().Int(37).Int(0).Int(4'000).Long(5).Text("0123456789abcdef").Byte(0).str());
}

TEST(RequestTest, CreateOfEveryKind) {
  const auto create = Decode<Create>(OpenAcl(Header(7, 1).Text("/a").Text("data")).Int(3));
  EXPECT_EQ(create.path, "/a");
  EXPECT_EQ(create.data, "data");
  ASSERT_EQ(create.acl.size(), 1u);
  EXPECT_EQ(create.acl.front().permissions, 31u);
  EXPECT_EQ(create.acl.front().identity, (model::Identity{"world", "anyone"}));
  EXPECT_EQ(create.flags, 3);
  const auto ttl =
      Decode<Create>(OpenAcl(Header(7, 21).Text("/a").Text("data")).Int(5).Long(60'000));
  EXPECT_EQ(ttl.type, Opcode::kCreateTtl);
  EXPECT_EQ(ttl.ttl_ms, 60'000);
}

TEST(RequestTest, NullIsNotEmpty) {
  EXPECT_EQ(Decode<SetData>(Header(1, 5).Text("/a").Int(-1).Int(2)).data, std::nullopt);
  EXPECT_EQ(Decode<SetData>(Header(1, 5).Text("/a").Int(0).Int(2)).data, "");
  EXPECT_EQ(Decode<Create>(Header(1, 1).Text("/a").Int(-1).Int(-1).Int(0)).acl.size(), 0u);
  EXPECT_EQ(Decode<SetData>(Header(1, 5).Int(-1).Int(0).Int(2)).path, "");
}

TEST(RequestTest, ANullPathIsMalformedWhereZooKeeperCannotTakeIt) {
  for (const int32_t type : {3, 4, 8, 12}) {
    EXPECT_EQ(Try(Header(1, type).Int(-1).Byte(0)), Decoded::kMalformed) << type;
    EXPECT_EQ(Try(Header(1, type).Int(0).Byte(0)), Decoded::kOk) << type;
  }
  EXPECT_EQ(Try(Header(1, 6).Int(-1)), Decoded::kMalformed);
  EXPECT_EQ(Try(Header(1, 2).Int(-1).Int(2)), Decoded::kMalformed);
  EXPECT_EQ(Try(OpenAcl(Header(1, 1).Int(-1).Text("x")).Int(0)), Decoded::kMalformed);
}

TEST(RequestTest, WatchesThatAreSetAgain) {
  const auto lists = [](Bytes bytes) {
    return bytes.Long(99).Int(2).Text("/d").Text("/e").Int(-1).Int(1).Text("/c");
  };
  const auto old = Decode<SetWatches>(lists(Header(-8, 101)));
  EXPECT_EQ(old.relative_zxid, 99);
  EXPECT_EQ(old.data, (std::vector<std::string>{"/d", "/e"}));
  EXPECT_EQ(old.exist, std::vector<std::string>{});
  EXPECT_EQ(old.child, std::vector<std::string>{"/c"});
  const auto with_modes =
      Decode<SetWatches>(lists(Header(-8, 105)).Int(1).Text("/p").Int(1).Text("/r"));
  EXPECT_EQ(with_modes.persistent, std::vector<std::string>{"/p"});
  EXPECT_EQ(with_modes.persistent_recursive, std::vector<std::string>{"/r"});
}

Bytes Part(Bytes bytes, int32_t type) { return bytes.Int(type).Byte(0).Int(-1); }
Bytes LastPart(Bytes bytes) { return bytes.Int(-1).Byte(1).Int(-1); }

TEST(RequestTest, Multi) {
  Bytes bytes = OpenAcl(Part(Header(3, 14), 15).Text("/a").Text("x")).Int(0);
  bytes = Part(bytes, 13).Text("/b").Int(4);
  bytes = Part(bytes, 2).Text("/c").Int(-1);
  bytes = Part(bytes, 5).Text("/d").Text("y").Int(1);
  const auto multi = Decode<Multi>(LastPart(bytes));
  ASSERT_EQ(multi.parts.size(), 4u);
  EXPECT_EQ(std::get<Create>(multi.parts[0]).type, Opcode::kCreate2);
  EXPECT_EQ(std::get<Check>(multi.parts[1]).version, 4);
  EXPECT_EQ(std::get<Delete>(multi.parts[2]).path, "/c");
  EXPECT_EQ(std::get<SetData>(multi.parts[3]).data, "y");
  EXPECT_EQ(Decode<Multi>(LastPart(Header(3, 14))).parts.size(), 0u);
}

TEST(RequestTest, AMultiDoesNotReadOrCreateWithUnknownFlags) {
  EXPECT_EQ(Try(LastPart(Part(Header(3, 14), 4).Text("/a").Byte(0))), Decoded::kMalformed);
  EXPECT_EQ(Try(LastPart(Part(Header(3, 14), 7).Text("/a").Int(0).Int(0))), Decoded::kMalformed);
  EXPECT_EQ(Try(LastPart(OpenAcl(Part(Header(3, 14), 1).Text("/a").Text("x")).Int(7))),
            Decoded::kMalformed);
  EXPECT_EQ(Try(Part(Header(3, 14), 2).Text("/a").Int(-1)), Decoded::kMalformed);  // has no end
}

TEST(RequestTest, MultiRead) {
  Bytes bytes = Part(Header(3, 22), 4).Text("/a").Byte(1);
  bytes = Part(bytes, 8).Text("/b").Byte(0);
  const auto multi = Decode<MultiRead>(LastPart(bytes));
  ASSERT_EQ(multi.parts.size(), 2u);
  EXPECT_EQ(multi.parts[0].type, Opcode::kGetData);
  EXPECT_FALSE(multi.parts[0].watch);
  EXPECT_EQ(multi.parts[1].path, "/b");
  EXPECT_EQ(Try(LastPart(Part(Header(3, 22), 3).Text("/a").Byte(0))), Decoded::kMalformed);
}

TEST(RequestTest, WhatIsNotAClientsIsUnknown) {
  for (const int32_t type : {0, 10, 20, 23, 99, 108, -1, -10, 1'000}) {
    EXPECT_EQ(Try(Header(1, type).Text("/a").Int(0)), Decoded::kUnknownOpcode) << type;
  }
  EXPECT_EQ(Try(Bytes().Int(1)), Decoded::kNoHeader);
}

// Every request, cut after every byte, is malformed and nothing worse; whole, it is good, and so it
// is with bytes behind it.
TEST(RequestTest, CutAnywhere) {
  const std::vector<Bytes> requests = {
      OpenAcl(Header(1, 1).Text("/a").Text("d")).Int(0),
      OpenAcl(Header(1, 15).Text("/a").Text("d")).Int(0),
      OpenAcl(Header(1, 19).Text("/a").Text("d")).Int(4),
      OpenAcl(Header(1, 21).Text("/a").Text("d")).Int(5).Long(9),
      Header(1, 2).Text("/a").Int(0),
      Header(1, 3).Text("/a").Byte(1),
      Header(1, 4).Text("/a").Byte(1),
      Header(1, 5).Text("/a").Text("d").Int(0),
      Header(1, 6).Text("/a"),
      OpenAcl(Header(1, 7).Text("/a")).Int(0),
      Header(1, 8).Text("/a").Byte(1),
      Header(1, 9).Text("/a"),
      Header(1, 12).Text("/a").Byte(1),
      Header(1, 13).Text("/a").Int(0),
      LastPart(Part(Header(1, 14), 2).Text("/a").Int(0)),
      Header(1, 16).Text("j").Text("l").Text("n").Long(-1),
      Header(1, 17).Text("/a").Int(1),
      Header(1, 18).Text("/a").Int(1),
      LastPart(Part(Header(1, 22), 4).Text("/a").Byte(0)),
      Header(-4, 100).Int(0).Text("digest").Text("a:b"),
      Header(-8, 101).Long(1).Int(0).Int(0).Int(0),
      Header(1, 102).Text("t"),
      Header(1, 103).Text("/a"),
      Header(1, 104).Text("/a"),
      Header(-8, 105).Long(1).Int(0).Int(0).Int(0).Int(0).Int(0),
      Header(1, 106).Text("/a").Int(1),
  };
  for (const Bytes& whole : requests) {
    RequestHeader header;
    Request request;
    for (size_t size = 8; size < whole.str().size(); ++size) {
      EXPECT_EQ(DecodeRequest(whole.str().substr(0, size), &header, &request), Decoded::kMalformed)
          << static_cast<int>(header.type) << " cut to " << size;
    }
    EXPECT_EQ(DecodeRequest(whole.str(), &header, &request), Decoded::kOk);
    EXPECT_EQ(DecodeRequest(whole.str() + "more", &header, &request), Decoded::kOk);
  }
  for (const int32_t type : {11, -11, 107}) EXPECT_EQ(Try(Header(-2, type)), Decoded::kOk);
}

TEST(RequestTest, LengthsThatLie) {
  for (const int64_t length : {-2L, 5L, 1L << 30, (1L << 31) - 1, -(1L << 31)}) {
    EXPECT_EQ(Try(Header(1, 6).Int(length).Byte('/')), Decoded::kMalformed) << length;
    EXPECT_EQ(Try(Header(-8, 101).Long(1).Int(length).Int(0)), Decoded::kMalformed) << length;
    EXPECT_EQ(Try(Header(1, 7).Text("/a").Int(length).Int(0)), Decoded::kMalformed) << length;
  }
}

TEST(ReplyTest, Stat) {
  model::Stat stat;
  stat.create_revision = model::Revision(1);
  stat.modify_revision = model::Revision(2);
  stat.children_revision = model::Revision(3);
  stat.ctime = {4};
  stat.mtime = {5};
  stat.version = 6;
  stat.children_version = 7;
  stat.acl_version = 8;
  stat.ephemeral_owner = model::SessionId(9);
  stat.data_length = 10;
  stat.children_count = 11;
  std::string out;
  {
    FrameWriter frame(&out, {.xid = 21, .zxid = 22});
    frame.Stat(stat);
  }
  Bytes bytes;
  bytes.Int(16 + 68).Int(21).Long(22).Int(0).Long(1).Long(2).Long(4).Long(5).Int(6).Int(7).Int(8);
  EXPECT_EQ(out, bytes.Long(9).Int(10).Int(11).Long(3).str());
}

TEST(ReplyTest, NoVersionIsAny) {
  model::Stat stat;
  stat.version = 0xffff'ffff;  // -1 in 32 bits
  std::string out;
  {
    FrameWriter frame(&out);
    frame.Stat(stat);
  }
  EXPECT_EQ(out.substr(4 + 4 * 8, 4), Bytes().Int(0).str());
}

TEST(ReplyTest, EventsAndErrors) {
  std::string out;
  AppendEvent(EventType::kNodeDeleted, "/a", 5, &out);
  EXPECT_EQ(out, Bytes().Int(16 + 4 + 4 + 6).Int(-1).Long(5).Int(0).Int(2).Int(3).Text("/a").str());
  out.clear();
  AppendReply({.xid = -2, .zxid = 3, .error = ErrorCode::kNoNode}, &out);
  EXPECT_EQ(out, Bytes().Int(16).Int(-2).Long(3).Int(-101).str());
}

}  // namespace
}  // namespace pando::jute
