#include "model/config_text.h"

#include <gtest/gtest.h>

namespace pando::model {
namespace {

TEST(ConfigText, IsZooKeepersDynamicConfiguration) {
  const Membership members = {.members = {{.id = ServerId(1),
                                           .peer_address = "a.example:7401",
                                           .zookeeper_address = "a.example:7403"},
                                          {.id = ServerId(10),
                                           .role = Member::Role::kLearner,
                                           .peer_address = "[::1]:7411",
                                           .zookeeper_address = "[::1]:7413"}}};
  EXPECT_EQ(ConfigText(members, Revision(0x1f)),
            "server.1=a.example:7401:7401:participant;a.example:7403\n"
            "server.10=[::1]:7411:7411:observer;[::1]:7413\n"
            "version=1f");
}

TEST(ConfigText, AMemberThatHasNotSpokenYet) {
  EXPECT_EQ(ConfigText({.members = {{.id = ServerId(2), .peer_address = "b:7401"}}}, Revision(9)),
            "server.2=b:7401:7401:participant\nversion=9");
  EXPECT_EQ(ConfigText({}, Revision(0)), "version=0");
}

}  // namespace
}  // namespace pando::model
