#include "zookeeper/operator_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pando::zookeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class OperatorDeskTest : public testing::Test, public OperatorDesk::Host {
 protected:
  explicit OperatorDeskTest(std::string_view words = "ruok,dump,srst,mntr,conf")
      : desk_(*ParseWords(words), this) {}

  Overview Look() override {
    Overview overview;
    overview.facts.serving = true;
    overview.watches = &watches_;
    overview.connections = [this] {
      ++gathered_;
      return std::vector<ConnectionRow>();
    };
    overview.outstanding = [this] {
      ++summed_;
      return size_t{0};
    };
    return overview;
  }
  void ResetServerStats() override { ++resets_; }
  void ResetConnectionStats() override { ++resets_; }
  uint64_t OpenLane() override { return ++lanes_; }
  void CloseLane(uint64_t lane) override { closed_.push_back(lane); }
  bool Ask(uint64_t lane, std::vector<io::Request> requests) override {
    if (full_) return false;
    for (const io::Request& request : requests) EXPECT_EQ(request.tag, lane);
    asked_ = std::move(requests);
    return true;
  }

  void Say(Word word) {
    desk_.AnswerWord(word, [this](std::string answer) { words_.push_back(std::move(answer)); });
  }
  CommandAnswer Get(const std::string& name) {
    CommandAnswer answer{.status = 0, .body = "not yet"};
    desk_.AnswerCommand(name, [&answer](CommandAnswer one) { answer = std::move(one); });
    return answer;
  }
  bool Answer(uint64_t lane, decltype(model::Reply::result) result) {
    io::Completion completion;
    completion.tag = lane;
    completion.reply.result = std::move(result);
    return desk_.OnCompletion(&completion);
  }

  WatchTable watches_;
  OperatorDesk desk_;
  int resets_ = 0;
  int gathered_ = 0;  // the rows of all connections
  int summed_ = 0;    // their requests
  uint64_t lanes_ = 0;
  bool full_ = false;
  std::vector<uint64_t> closed_;
  std::vector<io::Request> asked_;
  std::vector<std::string> words_;
};

TEST_F(OperatorDeskTest, AWordIsAnsweredIfItIsEnabled) {
  Say(Word::kRuok);
  Say(Word::kCrst);
  EXPECT_THAT(words_, ElementsAre("imok",
                                  "crst is not executed because it is not in the "
                                  "whitelist.\n"));
  EXPECT_EQ(resets_, 0);
  Say(Word::kSrst);
  EXPECT_EQ(resets_, 1);
}

class WhateverIsAsked : public OperatorDeskTest {
 protected:
  WhateverIsAsked() : OperatorDeskTest("*") {}
};

// With ten thousand connections it is long until there is a row for each.
TEST_F(WhateverIsAsked, OnlyWhatIsToldIsGathered) {
  const struct {
    Word word;
    int gathered = 0;
    int summed = 0;
  } cases[] = {
      {Word::kRuok},       {Word::kIsro},       {Word::kEnvi},       {Word::kDirs},
      {Word::kConf},       {Word::kCrst},       {Word::kSrst},       {Word::kWchs},
      {Word::kSrvr, 0, 1}, {Word::kMntr, 0, 1}, {Word::kStat, 1, 1}, {Word::kCons, 1},
      {Word::kWchc, 1},    {Word::kWchp, 1},
  };
  for (const auto& one : cases) {
    gathered_ = summed_ = 0;
    full_ = true;  // nobody answers here
    Say(one.word);
    EXPECT_EQ(gathered_, one.gathered) << words_.back();
    EXPECT_EQ(summed_, one.summed) << words_.back();
  }
}

TEST_F(OperatorDeskTest, ACommandIsAnsweredIfItsWordIsEnabled) {
  EXPECT_EQ(nlohmann::json::parse(Get("ruok").body),
            nlohmann::json({{"command", "ruok"}, {"error", nullptr}}));
  EXPECT_EQ(Get("mntr").body, Get("monitor").body);
  EXPECT_EQ(Get("stat_reset").status, 200);
  EXPECT_EQ(resets_, 1);
  const CommandAnswer refused = Get("connection_stat_reset");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("\"error\": \"crst is not executed"));
  EXPECT_EQ(resets_, 1);
  EXPECT_THAT(Get("nothing").body, HasSubstr("\"error\": \"Unknown command: nothing\""));
  EXPECT_EQ(Get("").body,
            "<a href=\"/commands/configuration\">configuration</a>\n<br/>\n"
            "<a href=\"/commands/dump\">dump</a>\n<br/>\n"
            "<a href=\"/commands/monitor\">monitor</a>\n<br/>\n"
            "<a href=\"/commands/ruok\">ruok</a>\n<br/>\n"
            "<a href=\"/commands/stat_reset\">stat_reset</a>\n<br/>\n"
            "<a href=\"/commands/voting_view\">voting_view</a>\n<br/>\n");
}

TEST_F(OperatorDeskTest, ADumpAsksForTheNodesOfThoseWhoHaveSome) {
  Say(Word::kDump);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_FALSE(Answer(7, {}));
  model::SessionsResult sessions;
  sessions.sessions = {{.session = model::SessionId(0x10), .timeout_ms = 4'000, .ephemerals = 2},
                       {.session = model::SessionId(0x11), .timeout_ms = 4'000}};
  EXPECT_TRUE(Answer(1, std::move(sessions)));
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_THAT(words_, IsEmpty());
  model::NamesResult names;
  names.names = {"/a", "/b"};
  EXPECT_TRUE(Answer(1, std::move(names)));
  EXPECT_THAT(closed_, ElementsAre(1));
  EXPECT_THAT(words_, ElementsAre("SessionTracker dump:\nSession Sets (1)/(2):\n"
                                  "2 expire at Thu Jan 01 00:00:04 UTC 1970:\n\t0x10\n\t0x11\n"
                                  "ephemeral nodes dump:\nSessions with Ephemerals (1):\n0x10:\n"
                                  "\t/a\n\t/b\nConnections dump:\nConnections Sets (0)/(0):\n"));
}

TEST_F(OperatorDeskTest, ADumpOfManySessionsTakesSeveralSteps) {
  Say(Word::kDump);
  model::SessionsResult sessions;
  for (uint64_t i = 1; i <= Dump::kStep + 1; ++i) {
    sessions.sessions.push_back({.session = model::SessionId(i), .ephemerals = 1});
  }
  Answer(1, std::move(sessions));
  ASSERT_EQ(asked_.size(), Dump::kStep);
  for (size_t i = 0; i < Dump::kStep; ++i) Answer(1, model::NamesResult{});
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_THAT(words_, IsEmpty());
  Answer(1, std::monostate());  // it has ended meanwhile
  EXPECT_EQ(words_.size(), 1u);
}

TEST_F(OperatorDeskTest, TheMembersAreAskedFor) {
  Say(Word::kConf);
  ASSERT_EQ(asked_.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<io::GetMembers>(asked_[0].body));
  EXPECT_TRUE(std::holds_alternative<io::GetStatus>(asked_[1].body));
  Answer(1, model::Membership{.members = {{.id = model::ServerId(0), .peer_address = "a:1"}}});
  Answer(1, model::EnsembleStatus());
  EXPECT_THAT(words_, IsEmpty());
  model::OperationResult config;
  config.stat.modify_revision = model::Revision(0x1f);
  Answer(1, std::move(config));
  ASSERT_EQ(words_.size(), 1u);
  EXPECT_THAT(words_[0], HasSubstr("membership: \nserver.0=a:1:1:participant\nversion=1f\n"));
  EXPECT_THAT(closed_, ElementsAre(1));
}

TEST_F(OperatorDeskTest, WithoutRoomNothingIsToldOfTheMembers) {
  full_ = true;
  Say(Word::kConf);
  ASSERT_EQ(words_.size(), 1u);
  EXPECT_THAT(words_[0], HasSubstr("serverId="));
  EXPECT_THAT(words_[0], Not(HasSubstr("membership")));
}

TEST_F(OperatorDeskTest, WithoutRoomThereIsNoDump) {
  full_ = true;
  Say(Word::kDump);
  EXPECT_THAT(words_, ElementsAre(std::string(kNotServing) + "\n"));
  EXPECT_THAT(closed_, ElementsAre(1));
  full_ = false;
  for (size_t i = 0; i <= OperatorDesk::kDumpsMax; ++i) Say(Word::kDump);
  EXPECT_EQ(words_.size(), 2u);
  // Which does not keep anybody from asking for the members.
  for (size_t i = 0; i < OperatorDesk::kSurveysMax; ++i) Say(Word::kConf);
  EXPECT_EQ(words_.size(), 2u);
  Say(Word::kConf);
  EXPECT_EQ(words_.size(), 3u);
}

}  // namespace
}  // namespace pando::zookeeper
