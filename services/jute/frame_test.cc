#include "jute/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "jute/encode_request.h"

namespace pando::jute {
namespace {

using namespace std::literals;

TEST(Frame, HasItsLengthInFront) {
  std::string frame;
  AppendRequest(7, Ping{}, &frame);
  EXPECT_EQ(LengthOfFrame(frame), frame.size() - kLengthBytes);
}

TEST(Frame, TheLengthIsBigEndianAndUnsigned) {
  EXPECT_EQ(LengthOfFrame("\x01\x02\x03\x04"sv), 0x01020304u);
  EXPECT_EQ(LengthOfFrame("\xff\xff\xff\xff and more"sv), 0xffffffffu);
}

TEST(Frame, HalfALengthIsNone) {
  EXPECT_EQ(LengthOfFrame(""sv), std::nullopt);
  EXPECT_EQ(LengthOfFrame("\0\0\0"sv), std::nullopt);
}

}  // namespace
}  // namespace pando::jute
