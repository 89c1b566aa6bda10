#include "zookeeper/four_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pando::zookeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

class FourLetterTest : public testing::Test {
 protected:
  FourLetterTest() {
    overview_.facts.version = "0.1.0";
    overview_.facts.serving = true;
    overview_.facts.role = model::EnsembleStatus::Role::kLeader;
    overview_.facts.server = model::ServerId(2);
    overview_.facts.members = 3;
    overview_.facts.members_reachable = 2;
    overview_.facts.nodes = 17;
    overview_.zxid = model::Revision(0x2a);
    overview_.traffic = {.received = 5, .sent = 7, .answered = 2, .latency_ms_sum = 3};
    overview_.listen_address = "127.0.0.1:7403";
    overview_.connections = {{.id = WatcherId(1),
                              .caller = "10.0.0.1:99",
                              .session = model::SessionId(0x1f),
                              .timeout_ms = 4'000,
                              .outstanding = 1,
                              .received = 3,
                              .sent = 2}};
    watches_.Add(WatchTable::Kind::kData, "/a", WatcherId(1));
    watches_.Add(WatchTable::Kind::kChildren, "/b", WatcherId(1));
    overview_.watches = &watches_;
  }
  std::string Ask(Word word) { return AnswerWord(word, *ParseWords("*"), overview_); }

  WatchTable watches_;
  Overview overview_;
};

TEST_F(FourLetterTest, AWordIsFourLettersAndNoGreeting) {
  EXPECT_EQ(WordOf("ruok"), Word::kRuok);
  EXPECT_EQ(WordOf("wchs\n"), Word::kWchs);
  EXPECT_EQ(WordOf("ruo"), std::nullopt);
  EXPECT_EQ(WordOf(std::string_view("\0\0\0\x2d", 4)), std::nullopt);
  EXPECT_EQ(ParseWords("srvr,mntr"), (std::vector<Word>{Word::kSrvr, Word::kMntr}));
  EXPECT_EQ(ParseWords(""), std::vector<Word>{});
  EXPECT_EQ(ParseWords("srvr,what"), std::nullopt);
  EXPECT_EQ(ParseWords("srvrs"), std::nullopt);
}

TEST_F(FourLetterTest, WhatIsNotEnabledSaysSo) {
  EXPECT_EQ(AnswerWord(Word::kRuok, {Word::kSrvr}, overview_),
            "ruok is not executed because it is not in the whitelist.\n");
}

TEST_F(FourLetterTest, AServerThatDoesNotServe) {
  overview_.facts.serving = false;
  EXPECT_EQ(Ask(Word::kRuok), "imok");
  EXPECT_EQ(Ask(Word::kSrvr), "This ZooKeeper instance is not currently serving requests\n");
}

TEST_F(FourLetterTest, AServerThatIsReadOnly) {
  EXPECT_EQ(Ask(Word::kIsro), "rw");
  overview_.facts.serving = false;
  EXPECT_EQ(Ask(Word::kIsro), "null");
  overview_.read_only = true;
  EXPECT_EQ(Ask(Word::kIsro), "ro");
  EXPECT_THAT(Ask(Word::kSrvr), HasSubstr("Mode: read-only\n"));
  EXPECT_THAT(Ask(Word::kMntr), HasSubstr("zk_server_state\tread-only\n"));
}

TEST_F(FourLetterTest, Srvr) {
  EXPECT_EQ(Ask(Word::kSrvr),
            "Zookeeper version: 3.9.5-pando-0.1.0, built on 01/01/1970 00:00 GMT\n"
            "Latency min/avg/max: 0/1.5/0\nReceived: 5\nSent: 7\nConnections: 1\n"
            "Outstanding: 1\nZxid: 0x2a\nMode: leader\nNode count: 17\n");
  overview_.facts.members = 1;
  EXPECT_THAT(Ask(Word::kSrvr), HasSubstr("Mode: standalone\n"));
}

TEST_F(FourLetterTest, StatAndCons) {
  EXPECT_THAT(Ask(Word::kStat), HasSubstr("Clients:\n /10.0.0.1:99[1](queued=1,recved=3,sent=2)\n\n"
                                          "Latency min"));
  EXPECT_EQ(Ask(Word::kCons), " /10.0.0.1:99[1](queued=1,recved=3,sent=2,sid=0x1f,to=4000)\n\n");
}

TEST_F(FourLetterTest, Mntr) {
  const std::string leader = Ask(Word::kMntr);
  for (const char* line :
       {"zk_server_state\tleader\n", "zk_followers\t2\n", "zk_synced_followers\t1\n",
        "zk_znode_count\t17\n", "zk_watch_count\t2\n", "zk_num_alive_connections\t1\n",
        "zk_avg_latency\t1.5\n"}) {
    EXPECT_THAT(leader, HasSubstr(line));
  }
  overview_.facts.role = model::EnsembleStatus::Role::kFollower;
  EXPECT_THAT(Ask(Word::kMntr), Not(HasSubstr("zk_followers")));
}

TEST_F(FourLetterTest, TheRest) {
  EXPECT_THAT(Ask(Word::kEnvi), HasSubstr("\nzookeeper.version=3.9.5-"));
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("clientPort=7403\n"));
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("serverId=2\n"));
  EXPECT_EQ(Ask(Word::kWchs), "1 connections watching 2 paths\nTotal watches:2\n");
  EXPECT_EQ(Ask(Word::kWchp), "/a\n\t0x1f\n/b\n\t0x1f\n\n");
  EXPECT_EQ(Ask(Word::kWchc), "0x1f\n\t/a\n\t/b\n\n");
  EXPECT_EQ(Ask(Word::kDump),
            "SessionTracker dump:\nSession Sets (1)/(1):\n1 expire in 4000ms:\n\t0x1f\n");
}

}  // namespace
}  // namespace pando::zookeeper
