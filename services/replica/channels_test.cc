#include "replica/channels.h"

#include <utility>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

constexpr model::ServerId kPeer{2};
constexpr io::ChannelId kOld{10};
constexpr io::ChannelId kNew{11};

io::PeerHello Hello(uint64_t start, uint64_t storage = 7) {
  io::PeerHello hello;
  hello.id = kPeer;
  hello.storage = model::StorageId(storage);
  hello.start = model::StartCount(start);
  return hello;
}

TEST(Channels, TheNewestReplacesTheOneBefore) {
  Channels channels;
  EXPECT_TRUE(channels.Open(kOld, Hello(1)));
  EXPECT_TRUE(channels.Open(kNew, Hello(2)));
  EXPECT_EQ(channels.Find(kOld), nullptr);
  ASSERT_NE(channels.Find(kNew), nullptr);
  EXPECT_EQ(channels.Of(kPeer), channels.Find(kNew));
}

TEST(Channels, AnEarlierLifeDoesNotCount) {
  Channels channels;
  EXPECT_TRUE(channels.Open(kNew, Hello(2)));
  EXPECT_FALSE(channels.Open(kOld, Hello(1)));
  EXPECT_NE(channels.Find(kNew), nullptr);
  EXPECT_EQ(channels.Find(kOld), nullptr);
}

// Start counts of different storage ids say nothing about each other.
TEST(Channels, ANewStorageIdCountsFromItsFirstStart) {
  Channels channels;
  EXPECT_TRUE(channels.Open(kOld, Hello(9, 7)));
  EXPECT_TRUE(channels.Open(kNew, Hello(1, 8)));
  EXPECT_EQ(channels.Of(kPeer)->storage, model::StorageId(8));
}

TEST(Channels, TheEndOfAReplacedChannelIsNotTheEndOfThePeer) {
  Channels channels;
  channels.Open(kOld, Hello(1));
  channels.Open(kNew, Hello(1));
  EXPECT_FALSE(channels.Close(kOld));
  EXPECT_NE(channels.Of(kPeer), nullptr);
  EXPECT_EQ(channels.Close(kNew), kPeer);
  EXPECT_EQ(channels.Of(kPeer), nullptr);
}

TEST(Channels, WhoeverWasLetInDoesNotAskAgain) {
  Channels channels;
  io::PeerHello hello = Hello(1, 8);
  hello.joins = true;
  channels.Open(kNew, std::move(hello));
  channels.LetIn(kPeer, model::StorageId(7));
  EXPECT_TRUE(channels.Of(kPeer)->joins);
  channels.LetIn(kPeer, model::StorageId(8));
  EXPECT_FALSE(channels.Of(kPeer)->joins);
}

}  // namespace
}  // namespace pando::replica
