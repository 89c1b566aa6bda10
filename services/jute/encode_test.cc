#include "jute/encode.h"

#include <gtest/gtest.h>

#include <string>

#include "jute/testing/golden.h"

namespace pando::jute {
namespace {

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

TEST(ReplyTest, Stat) {
  std::string out;
  {
    FrameWriter frame(&out, {.xid = 21, .zxid = 22});
    frame.Stat(ElevenNumbers());
  }
  EXPECT_EQ(out, StatOfElevenNumbers(Bytes().Int(16 + 68).Int(21).Long(22).Int(0)).str());
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
