#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/completion.h"

namespace pando::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A command line without `pando` in front.
class CommandLineTest : public ::testing::Test {
 protected:
  // The environment of whoever runs the test is not part of it.
  void SetUp() override { TearDown(); }
  void TearDown() override {
    for (const char* name : {"PANDO_ENDPOINTS", "PANDO_TIMEOUT", "PANDO_CLUSTER", "PANDO_TLS_CA",
                             "PANDO_TLS_CERT", "PANDO_TLS_KEY", "PANDO_TLS_SERVER_NAME"}) {
      ::unsetenv(name);
    }
  }

  // Whether it is understood.
  bool Parse(std::vector<std::string> words) {
    std::vector<char*> argv;
    words.insert(words.begin(), "pando");
    for (std::string& word : words) argv.push_back(word.data());
    try {
      line_.app.parse(static_cast<int>(argv.size()), argv.data());
    } catch (const CLI::ParseError&) {
      return false;
    }
    return true;
  }

  CommandLine line_;
};

TEST_F(CommandLineTest, WithoutOptionsItIsTheServersOfThisMachine) {
  ASSERT_TRUE(Parse({"ls"}));
  EXPECT_TRUE(line_.run);
  EXPECT_THAT(line_.globals.endpoints,
              ElementsAre("127.0.0.1:7400", "127.0.0.1:7410", "127.0.0.1:7420"));
  EXPECT_FALSE(line_.globals.timeout);
  EXPECT_EQ(line_.globals.cluster, 0u);
  EXPECT_EQ(line_.globals.FormatOr(Format::kRaw), Format::kRaw);
}

TEST_F(CommandLineTest, GlobalOptionsMayStandAfterTheCommand) {
  ASSERT_TRUE(Parse({"get", "--endpoints", "a:1,b:2", "-o", "json", "/x", "--timeout", "2m"}));
  EXPECT_THAT(line_.globals.endpoints, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(line_.globals.format, Format::kJson);
  EXPECT_EQ(line_.globals.timeout, std::chrono::minutes(2));
}

TEST_F(CommandLineTest, GlobalOptionsMayStandBeforeTheCommand) {
  ASSERT_TRUE(Parse({"--endpoints", "a:1", "-o", "raw", "session", "ls"}));
  EXPECT_THAT(line_.globals.endpoints, ElementsAre("a:1"));
  EXPECT_EQ(line_.globals.format, Format::kRaw);
}

TEST_F(CommandLineTest, TheEnvironmentNamesTheServersUnlessAnOptionDoes) {
  ::setenv("PANDO_ENDPOINTS", "e:1,f:2", 1);
  ASSERT_TRUE(Parse({"ls"}));
  EXPECT_THAT(line_.globals.endpoints, ElementsAre("e:1", "f:2"));
  ASSERT_TRUE(Parse({"ls", "--endpoints", "a:1"}));
  EXPECT_THAT(line_.globals.endpoints, ElementsAre("a:1"));
}

TEST_F(CommandLineTest, WhatIsNoEndpointIsRefused) {
  for (const char* endpoint : {"", "a", ":1", "a:", "a:1,b"}) {
    EXPECT_FALSE(Parse({"ls", "--endpoints", endpoint})) << endpoint;
  }
}

TEST_F(CommandLineTest, AClusterIsNamedAsStatusShowsIt) {
  ASSERT_TRUE(Parse({"ls", "--cluster", "fedcba9876543210"}));
  EXPECT_EQ(line_.globals.cluster, 0xfedcba9876543210u);
  EXPECT_EQ(ClusterIdText(line_.globals.cluster), "fedcba9876543210");
  for (const char* id : {"", "0", "xyz", "0x12", "12 ", "-1", "10000000000000000"}) {
    EXPECT_FALSE(Parse({"ls", "--cluster", id})) << id;
  }
}

TEST_F(CommandLineTest, DataMayLookLikeACommand) {
  EXPECT_TRUE(Parse({"set", "/a", "ls"}));
  EXPECT_TRUE(Parse({"create", "/a", "--", "-e"}));
}

TEST_F(CommandLineTest, WhatIsNotMeantIsRefused) {
  const std::vector<std::vector<std::string>> kCases = {
      {},
      {"frobnicate"},
      {"get"},
      {"ls", "/a", "/b"},
      {"ls", "-o", "xml"},
      {"ls", "--timeout", "soon"},
      {"tree", "--depth", "0"},
      {"tree", "--depth", "x"},
      {"create", "/a", "-e", "--ttl", "5m"},
      {"create", "/a", "-c", "-e"},
      {"watch", "/", "--from", "-1"},
      {"session"},
      {"member"},
      {"member", "add", "4"},
      {"member", "add", "x", "h:1"},
      {"member", "add", "4", "nowhere"},
      {"member", "rm"},
      {"member", "rm", "0"},
      {"leader"},
      {"leader", "transfer", "-1"},
      {"snapshot"},
      {"snapshot", "save"},
      {"snapshot", "restore", "file"},
      {"completion", "fish"},
  };
  for (const auto& words : kCases) EXPECT_FALSE(Parse(words)) << ::testing::PrintToString(words);
}

TEST_F(CommandLineTest, TheCompletionKnowsEveryCommandAndWhichOptionsTakeAValue) {
  const std::string script = BashCompletion(line_.app);
  for (const CLI::App* command : line_.app.get_subcommands({})) {
    EXPECT_THAT(script, HasSubstr("\"" + command->get_name() + "\") echo"));
  }
  EXPECT_THAT(script, HasSubstr("\"session ls\") echo"));
  const size_t start = script.find("_pando_takes_value() {");
  ASSERT_NE(start, std::string::npos);
  const std::string with_value = script.substr(start, script.find("\n}", start) - start);
  EXPECT_THAT(with_value, HasSubstr(" --depth "));
  EXPECT_THAT(with_value, HasSubstr(" -o --output "));
  EXPECT_THAT(with_value, Not(HasSubstr("--recursive")));
  EXPECT_THAT(with_value, Not(HasSubstr("--help")));
}

}  // namespace
}  // namespace pando::cli
