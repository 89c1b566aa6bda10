#include "zookeeper/four_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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
    overview_.facts.members = 5;
    overview_.facts.members_reachable = 4;
    overview_.facts.learners = 2;
    overview_.facts.learners_reachable = 1;
    overview_.facts.nodes = 17;
    overview_.zxid = model::Revision(0x2a);
    overview_.traffic.received = 5;
    overview_.traffic.sent = 7;
    overview_.traffic.latency.Add(std::chrono::milliseconds(1));
    overview_.traffic.latency.Add(std::chrono::milliseconds(2));
    overview_.uptime = std::chrono::seconds(9);
    overview_.rejections = {.crowded = 3, .silent = 4, .handshakes = 5, .unauthenticated = 6};
    overview_.port = 7403;
    ConnectionRow& row = rows_.emplace_back();
    row.id = WatcherId(1);
    row.caller = "10.0.0.1:99";
    row.session = model::SessionId(0x1f);
    row.timeout_ms = 4'000;
    row.outstanding = 1;
    row.traffic.received = 3;
    row.traffic.sent = 2;
    row.established = {1'700'000'000'123};
    row.last_operation = "GETD";
    row.last_xid = 0x11;
    row.last_zxid = 0x22;
    row.last_response = {std::chrono::seconds(5)};
    row.traffic.latency.Add(std::chrono::milliseconds(8));
    row.traffic.latency.Add(std::chrono::milliseconds(5));
    overview_.connections_open = 1;
    overview_.outstanding = [] { return 1; };
    overview_.connections = [this] { return rows_; };
    watches_.Add(WatchTable::Kind::kData, "/a", WatcherId(1));
    watches_.Add(WatchTable::Kind::kChildren, "/b", WatcherId(1));
    overview_.watches = &watches_;
  }
  std::string Ask(Word word) { return AnswerWord(word, overview_); }

  WatchTable watches_;
  std::vector<ConnectionRow> rows_;
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
  EXPECT_TRUE(IsEnabled(Word::kSrvr, {Word::kSrvr}));
  EXPECT_FALSE(IsEnabled(Word::kRuok, {Word::kSrvr}));
  EXPECT_EQ(NotEnabled(Word::kRuok), "ruok is not executed because it is not in the whitelist.");
}

TEST_F(FourLetterTest, AServerThatDoesNotServe) {
  overview_.facts.serving = false;
  EXPECT_EQ(Ask(Word::kRuok), "imok");
  EXPECT_EQ(Ask(Word::kIsro), "null");
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
            "Latency min/avg/max: 1/1.5/2\nReceived: 5\nSent: 7\nConnections: 1\n"
            "Outstanding: 1\nZxid: 0x2a\nMode: leader\nNode count: 17\n");
  overview_.facts.members = 1;
  EXPECT_THAT(Ask(Word::kSrvr), HasSubstr("Mode: standalone\n"));
}

TEST_F(FourLetterTest, StatAndCons) {
  EXPECT_THAT(Ask(Word::kStat), HasSubstr("Clients:\n /10.0.0.1:99[1](queued=1,recved=3,sent=2)\n\n"
                                          "Latency min"));
  EXPECT_EQ(Ask(Word::kCons),
            " /10.0.0.1:99[1](queued=1,recved=3,sent=2,sid=0x1f,lop=GETD,est=1700000000123,to=4000,"
            "lcxid=0x11,lzxid=0x22,lresp=5000,llat=5,minlat=5,avglat=6,maxlat=8)\n\n");
  // One that has asked for nothing since crst, and one without a session.
  ConnectionRow& row = rows_.front();
  row = {.id = row.id, .caller = row.caller, .session = row.session, .timeout_ms = 4'000};
  rows_.push_back({.id = WatcherId(2), .caller = "10.0.0.2:7"});
  EXPECT_EQ(Ask(Word::kCons),
            " /10.0.0.1:99[1](queued=0,recved=0,sent=0,sid=0x1f,lop=NA,est=0,to=4000,"
            "lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)\n"
            " /10.0.0.2:7[1](queued=0,recved=0,sent=0)\n\n");
}

TEST_F(FourLetterTest, Mntr) {
  const std::string leader = Ask(Word::kMntr);
  for (const char* line :
       {"zk_server_state\tleader\n", "zk_quorum_size\t3\n", "zk_followers\t3\n", "zk_learners\t3\n",
        "zk_synced_followers\t2\n", "zk_synced_observers\t1\n", "zk_znode_count\t17\n",
        "zk_watch_count\t2\n", "zk_num_alive_connections\t1\n", "zk_avg_latency\t1.5\n",
        "zk_min_latency\t1\n", "zk_max_latency\t2\n", "zk_uptime\t9000\n",
        "zk_connection_rejected\t3\n", "zk_sessionless_connections_expired\t4\n",
        "zk_unsuccessful_handshake\t5\n", "zk_auth_failed_count\t6\n",
        "zk_peer_state\tleading - broadcast\n"}) {
    EXPECT_THAT(leader, HasSubstr(line));
  }
  overview_.facts.role = model::EnsembleStatus::Role::kFollower;
  EXPECT_THAT(Ask(Word::kMntr), Not(HasSubstr("zk_followers")));
  EXPECT_THAT(Ask(Word::kMntr), HasSubstr("zk_peer_state\tfollowing - broadcast\n"));
  overview_.facts.role = model::EnsembleStatus::Role::kLearner;
  overview_.facts.leader = model::ServerId(3);
  EXPECT_THAT(Ask(Word::kMntr), HasSubstr("zk_observer_master_id\t3\n"));
  overview_.facts.members = 1;
  EXPECT_THAT(Ask(Word::kMntr), Not(HasSubstr("zk_peer_state")));
}

// As ZooKeeper 3.9.5 has it, where the static configuration names no addresses for clients.
TEST_F(FourLetterTest, ConfTellsTheMembers) {
  EXPECT_EQ(AsksOf(Word::kConf), Asks::kEnsemble);
  EXPECT_THAT(Ask(Word::kConf), Not(HasSubstr("membership")));
  Ensemble& ensemble = overview_.ensemble.emplace();
  ensemble.members.members = {{.id = model::ServerId(1), .peer_address = "10.0.0.1:7401"},
                              {.id = model::ServerId(2),
                               .role = model::Member::Role::kLearner,
                               .peer_address = "10.0.0.2:7411"}};
  ensemble.version = model::Revision(0x1f);
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("serverId=2\nelectionPort=7411\nquorumPort=7411\n"
                                          "peerType=1\nmembership: \n"
                                          "server.1=10.0.0.1:7401:7401:participant\n"
                                          "server.2=10.0.0.2:7411:7411:observer\nversion=1f\n"));
}

TEST_F(FourLetterTest, TheRest) {
  EXPECT_THAT(Ask(Word::kEnvi), HasSubstr("\nzookeeper.version=3.9.5-"));
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("clientPort=7403\n"));
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("serverId=2\n"));
  EXPECT_THAT(Ask(Word::kConf), HasSubstr("secureClientPort=-1\n"));
  EXPECT_EQ(Ask(Word::kWchs), "1 connections watching 2 paths\nTotal watches:2\n");
  EXPECT_EQ(Ask(Word::kWchp), "/a\n\t0x1f\n/b\n\t0x1f\n\n");
  EXPECT_EQ(Ask(Word::kWchc), "0x1f\n\t/a\n\t/b\n\n");
  EXPECT_EQ(Ask(Word::kCrst), "Connection stats reset.\n");
  overview_.sessions = {{model::SessionId(0x1f), 4'000, {"/e"}},
                        {model::SessionId(0x2f), 9'000, {}}};
  EXPECT_EQ(Ask(Word::kDump),
            "SessionTracker dump:\nSession Sets (2)/(2):\n"
            "1 expire at Thu Jan 01 00:00:04 UTC 1970:\n\t0x1f\n"
            "1 expire at Thu Jan 01 00:00:09 UTC 1970:\n\t0x2f\n"
            "ephemeral nodes dump:\nSessions with Ephemerals (1):\n0x1f:\n\t/e\n"
            "Connections dump:\nConnections Sets (1)/(1):\n"
            "1 expire at Thu Jan 01 00:00:04 UTC 1970:\n"
            "\tip: /10.0.0.1:99 sessionId: 0x1f\n");
}

}  // namespace
}  // namespace pando::zookeeper
