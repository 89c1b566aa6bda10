#include "zookeeper/keeper.h"

#include <gtest/gtest.h>

namespace pando::zookeeper {
namespace {

using jute::Opcode;

TEST(Keeper, RequestsThatZooKeeperDoesNotHave) {
  EXPECT_TRUE(IsOfKeeper(jute::Create{.type = Opcode::kCreateIfNotExists}));
  EXPECT_TRUE(IsOfKeeper(jute::Read{.type = Opcode::kFilteredList}));
  EXPECT_TRUE(IsOfKeeper(jute::CheckNotExists{}));
  EXPECT_TRUE(IsOfKeeper(jute::RemoveRecursive{}));
  EXPECT_TRUE(IsOfKeeper(jute::Multi{{jute::Delete{}, jute::RemoveRecursive{}}}));
  EXPECT_FALSE(IsOfKeeper(jute::Multi{{jute::Delete{}, jute::Create{}}}));
  EXPECT_FALSE(IsOfKeeper(jute::Create{}));
  EXPECT_FALSE(IsOfKeeper(jute::Read{}));
  EXPECT_FALSE(IsOfKeeper(jute::Ping{}));
}

// Bits 7, 5, 4 and 3: the reads of every kind in a multi (6) are not among what is here.
TEST(Keeper, TheNodesByWhichClientsKnow) {
  const auto get = [](const char* path) { return KeeperNode(jute::Read{.path = path}); };
  EXPECT_EQ(get("/keeper/feature_flags"), std::string("\xb8\0", 2));
  EXPECT_EQ(get("/keeper/api_version"), "1");
  EXPECT_EQ(get("/keeper"), std::nullopt);
  EXPECT_EQ(get("/a"), std::nullopt);
  EXPECT_EQ(KeeperNode(jute::Read{.type = Opcode::kExists, .path = "/keeper/api_version"}), "1");
  EXPECT_EQ(KeeperNode(jute::Read{.type = Opcode::kGetChildren, .path = "/keeper/api_version"}),
            std::nullopt);
  EXPECT_EQ(KeeperNode(jute::Sync{"/keeper/api_version"}), std::nullopt);
}

}  // namespace
}  // namespace pando::zookeeper
