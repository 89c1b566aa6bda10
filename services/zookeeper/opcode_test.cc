#include "zookeeper/opcode.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pando::zookeeper {
namespace {

using jute::Opcode;

TEST(Opcode, EachHasItsName) {
  EXPECT_STREQ(NameOf(Opcode::kCreate), "zookeeper/create");
  EXPECT_STREQ(NameOf(Opcode::kGetData), "zookeeper/getData");
  EXPECT_STREQ(NameOf(Opcode::kWhoAmI), "zookeeper/whoAmI");
  EXPECT_STREQ(NameOf(Opcode::kCloseSession), "zookeeper/closeSession");
  EXPECT_STREQ(NameOf(Opcode::kRemoveRecursive), "zookeeper/removeRecursive");
}

TEST(Opcode, WhatIsNoClientsIsOther) {
  for (const int32_t type :
       {-2'000'000'000, -12, -1, 0, 10, 20, 99, 108, 499, 504, 2'000'000'000}) {
    EXPECT_STREQ(NameOf(static_cast<Opcode>(type)), "zookeeper/other") << type;
  }
}

TEST(Opcode, OperatorsKnowThemByLetters) {
  EXPECT_STREQ(LettersOf(Opcode::kCreateTtl), "CREA");
  EXPECT_STREQ(LettersOf(Opcode::kGetAllChildrenNumber), "GETACN");
  EXPECT_STREQ(LettersOf(Opcode::kRemoveRecursive), "DELE");
  EXPECT_STREQ(LettersOf(static_cast<Opcode>(99)), "NA");
}

TEST(Opcode, EveryNameIsListed) {
  std::set<std::string> found;
  for (int32_t type = -20; type < 520; ++type) found.insert(NameOf(static_cast<Opcode>(type)));
  const std::vector<std::string> listed = OpcodeNames();
  EXPECT_EQ(found, std::set<std::string>(listed.begin(), listed.end()));
  EXPECT_EQ(found.size(), listed.size());
}

}  // namespace
}  // namespace pando::zookeeper
