#include "cli/dev/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pando::cli {
namespace {

using ::testing::HasSubstr;
using Kind = DevCommand::Kind;

TEST(DevCommand, NamesAServerWhereItConcernsOne) {
  const std::pair<const char*, Kind> kCases[] = {{"kill 1", Kind::kKill},
                                                 {"  start\t3 ", Kind::kStart},
                                                 {"partition 2\r", Kind::kPartition},
                                                 {"heal 2", Kind::kHeal}};
  for (const auto& [line, kind] : kCases) {
    const absl::StatusOr<DevCommand> command = ParseDevCommand(line, 3);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_EQ(command->kind, kind) << line;
    EXPECT_TRUE(command->server >= 1 && command->server <= 3) << line;
  }
  EXPECT_EQ(ParseDevCommand("status", 3)->kind, Kind::kStatus);
  EXPECT_EQ(ParseDevCommand("help", 3)->kind, Kind::kHelp);
  EXPECT_EQ(ParseDevCommand("quit", 3)->kind, Kind::kQuit);
  EXPECT_EQ(ParseDevCommand(" ", 3)->kind, Kind::kNothing);
}

TEST(DevCommand, WhatIsNotMeantIsRefused) {
  for (const char* line : {"kill", "kill 0", "kill 4", "kill x", "kill 1 2", "kill -1",
                           "kill 99999999999", "status 1", "quit now", "Kill 1", "explode"}) {
    EXPECT_FALSE(ParseDevCommand(line, 3).ok()) << line;
  }
  EXPECT_THAT(std::string(ParseDevCommand("kill 4", 3).status().message()), HasSubstr("1 to 3"));
}

TEST(DevCommand, HelpNamesAllOfThem) {
  for (const char* name :
       {"kill N", "start N", "partition N", "heal N", "status", "help", "quit"}) {
    EXPECT_THAT(DevHelp(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace pando::cli
