#include "jute/encode_request.h"

#include <gtest/gtest.h>

#include <string>

#include "jute/decode.h"
#include "jute/testing/golden.h"

namespace pando::jute {
namespace {

std::string Framed(const Bytes& payload) {
  return Bytes().Text(payload.str()).str();  // a frame has the form of a buffer
}

// Through the structs and back: nothing of a request is lost on the way, in either direction.
TEST(EncodeRequestTest, EveryRequestComesBackAsItWas) {
  for (const Bytes& golden : EveryRequest()) {
    RequestHeader header;
    Request request;
    ASSERT_EQ(DecodeRequest(golden.str(), &header, &request), Decoded::kOk);
    EXPECT_EQ(TypeOf(request), header.type);
    std::string out;
    AppendRequest(header.xid, request, &out);
    EXPECT_EQ(out, Framed(golden)) << "opcode " << static_cast<int>(header.type);
  }
}

TEST(EncodeRequestTest, FramesFollowEachOther) {
  std::string out = "before";
  AppendRequest(kPingXid, Ping{}, &out);
  AppendRequest(1, Sync{"/a"}, &out);
  EXPECT_EQ(out, "before" + Framed(Header(-2, 11)) + Framed(Header(1, 9).Text("/a")));
}

TEST(EncodeRequestTest, SetWatchesNeedsTheNewOpcodeForPersistentOnesOnly) {
  EXPECT_EQ(TypeOf(SetWatches{.data = {"/a"}}), Opcode::kSetWatches);
  EXPECT_EQ(TypeOf(SetWatches{.persistent = {"/a"}}), Opcode::kSetWatches2);
  EXPECT_EQ(TypeOf(SetWatches{.persistent_recursive = {"/a"}}), Opcode::kSetWatches2);
}

TEST(EncodeRequestTest, TheHandshakeHas44Or45Bytes) {
  ConnectRequest request{.last_zxid_seen = 77,
                         .timeout_ms = 30'000,
                         .session_id = 0x1234,
                         .password = "0123456789abcdef"};
  const auto expected = Bytes().Int(0).Long(77).Int(30'000).Long(0x1234).Text("0123456789abcdef");
  std::string out;
  AppendConnectRequest(request, &out);
  EXPECT_EQ(out.size(), 4 + 44u);
  EXPECT_EQ(out, Framed(expected));
  request.read_only = true;
  out.clear();
  AppendConnectRequest(request, &out);
  EXPECT_EQ(out, Framed(Bytes(expected).Byte(1)));
}

}  // namespace
}  // namespace pando::jute
