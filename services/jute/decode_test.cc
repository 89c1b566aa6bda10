#include "jute/decode.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "jute/testing/golden.h"

namespace pando::jute {
namespace {

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
  ASSERT_TRUE(DecodeConnectRequest(bytes.str().substr(0, 44), &request));
  EXPECT_FALSE(request.read_only.has_value());
}

TEST(ConnectRequestTest, IsNothingWhenItIsCut) {
  Bytes bytes;
  bytes.Int(0).Long(77).Int(30'000).Long(0x1234).Text("0123456789abcdef");
  for (size_t size = 0; size < bytes.str().size(); ++size) {
    ConnectRequest request;
    EXPECT_FALSE(DecodeConnectRequest(bytes.str().substr(0, size), &request)) << size;
  }
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
  EXPECT_EQ(Try(Header(1, 104).Int(-1)), Decoded::kMalformed);
}

TEST(RequestTest, InAMultiNoPathAndNoAclIsNull) {
  EXPECT_EQ(Try(LastPart(Part(Header(3, 14), 5).Int(-1).Text("x").Int(0))), Decoded::kMalformed);
  EXPECT_EQ(Try(LastPart(Part(Header(3, 14), 13).Int(-1).Int(0))), Decoded::kMalformed);
  for (const int32_t entries : {-1, 0}) {
    const Bytes create = Part(Header(3, 14), 1).Text("/a").Text("x").Int(entries).Int(0);
    EXPECT_EQ(Try(LastPart(create)), entries < 0 ? Decoded::kMalformed : Decoded::kOk);
  }
  const Bytes ttl = Part(Header(3, 14), 21).Text("/a").Text("x").Int(-1).Int(5).Long(1);
  EXPECT_EQ(Try(LastPart(ttl)), Decoded::kOk);  // to be refused as an ACL
}

TEST(RequestTest, EachFieldGoesWhereItBelongs) {
  RequestHeader header;
  Request request;
  ASSERT_EQ(DecodeRequest(Header(-77, 13).Text("/a").Int(4).str(), &header, &request),
            Decoded::kOk);
  EXPECT_EQ(header.xid, -77);
  EXPECT_EQ(header.type, Opcode::kCheck);
  EXPECT_EQ(std::get<Check>(request).version, 4);
  for (const int32_t type : {3, 4, 8, 12}) {
    EXPECT_EQ(Decode<Read>(Header(1, type).Text("/a").Byte(1)).type, static_cast<Opcode>(type));
    EXPECT_TRUE(Decode<Read>(Header(1, type).Text("/a").Byte(1)).watch);
    EXPECT_FALSE(Decode<Read>(Header(1, type).Text("/a").Byte(0)).watch);
  }
  const auto set_acl = Decode<SetAcl>(OpenAcl(Header(1, 7).Text("/a")).Int(5));
  EXPECT_EQ(set_acl.acl, model::OpenAcl());
  EXPECT_EQ(set_acl.version, 5);
  const auto reconfig = Decode<Reconfig>(Header(1, 16).Text("j").Text("").Int(-1).Long(1L << 40));
  EXPECT_EQ(reconfig.joining, "j");
  EXPECT_EQ(reconfig.leaving, "");
  EXPECT_EQ(reconfig.new_members, std::nullopt);
  EXPECT_EQ(reconfig.config_id, 1L << 40);
  const auto auth = Decode<Auth>(Header(-4, 100).Int(3).Text("digest").Text("a:b"));
  EXPECT_EQ(auth.type, 3);
  EXPECT_EQ(auth.scheme, "digest");
  EXPECT_EQ(auth.credential, "a:b");
  EXPECT_EQ(Decode<CheckWatches>(Header(1, 17).Text("/a").Int(2)).type, 2);
  EXPECT_EQ(Decode<RemoveWatches>(Header(1, 18).Text("/a").Int(3)).type, 3);
  EXPECT_EQ(Decode<AddWatch>(Header(1, 106).Text("/a").Int(1)).mode, 1);
  EXPECT_EQ(Decode<GetEphemerals>(Header(1, 103).Text("/a")).prefix, "/a");
  EXPECT_EQ(Decode<Sasl>(Header(1, 102).Text("token")).token, "token");
}

TEST(RequestTest, AnyByteButZeroIsTrue) {
  EXPECT_TRUE(Decode<Read>(Header(1, 4).Text("/a").Byte(0x80)).watch);
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
  EXPECT_EQ(Try(LastPart(OpenAcl(Part(Header(3, 14), 1).Text("/a").Text("x")).Int(5))),
            Decoded::kMalformed);
  EXPECT_EQ(Try(Part(Header(3, 14), 2).Text("/a").Int(-1)), Decoded::kMalformed);  // has no end
}

// The highest known flag is good, and so the test above refuses the first unknown one.
TEST(RequestTest, AMultiCreatesWithKnownFlags) {
  for (const int32_t flags : {0, 4}) {
    const Bytes bytes = OpenAcl(Part(Header(3, 14), 1).Text("/a").Text("x")).Int(flags);
    const auto multi = Decode<Multi>(LastPart(bytes));
    ASSERT_EQ(multi.parts.size(), 1u);
    EXPECT_EQ(std::get<Create>(multi.parts[0]).flags, flags);
  }
  EXPECT_EQ(Try(LastPart(OpenAcl(Part(Header(3, 14), 1).Text("/a").Text("x")).Int(-1))),
            Decoded::kMalformed);
  // With a TTL it is the part that is refused.
  for (const int32_t flags : {-1, 5, 7}) {
    EXPECT_EQ(
        Try(LastPart(OpenAcl(Part(Header(3, 14), 21).Text("/a").Text("x")).Int(flags).Long(1))),
        Decoded::kOk);
  }
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
  for (const Bytes& whole : EveryRequest()) {
    RequestHeader header;
    Request request;
    for (size_t size = 8; size < whole.str().size(); ++size) {
      EXPECT_EQ(DecodeRequest(whole.str().substr(0, size), &header, &request), Decoded::kMalformed)
          << static_cast<int>(header.type) << " cut to " << size;
    }
    EXPECT_EQ(DecodeRequest(whole.str(), &header, &request), Decoded::kOk);
    EXPECT_EQ(DecodeRequest(whole.str() + "more", &header, &request), Decoded::kOk);
  }
}

TEST(RequestTest, LengthsThatLie) {
  for (const int64_t length : {-2L, 5L, 1L << 30, (1L << 31) - 1, -(1L << 31)}) {
    EXPECT_EQ(Try(Header(1, 6).Int(length).Byte('/')), Decoded::kMalformed) << length;
    EXPECT_EQ(Try(Header(-8, 101).Long(1).Int(length).Int(0)), Decoded::kMalformed) << length;
    EXPECT_EQ(Try(Header(1, 7).Text("/a").Int(length).Int(0)), Decoded::kMalformed) << length;
  }
}

}  // namespace
}  // namespace pando::jute
