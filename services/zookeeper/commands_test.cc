#include "zookeeper/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace pando::zookeeper {
namespace {

using nlohmann::json;
using nlohmann::literals::operator""_json;
using testing::StartsWith;

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    overview_.facts.version = "0.1.0";
    overview_.facts.serving = true;
    overview_.facts.role = model::EnsembleStatus::Role::kLeader;
    overview_.facts.server = model::ServerId(2);
    overview_.facts.leader = model::ServerId(2);
    overview_.facts.members = 3;
    overview_.facts.nodes = 17;
    overview_.facts.disk_bytes = 4'096;
    overview_.zxid = model::Revision(42);
    overview_.now = {1'000};
    overview_.port = 7403;
    for (const bool secure : {false, true}) {
      ConnectionRow& row = rows_.emplace_back();
      row.id = WatcherId(secure ? 2 : 1);
      row.caller = secure ? "10.0.0.2:98" : "10.0.0.1:99";
      row.secure = secure;
      row.session = model::SessionId(secure ? 8 : 7);
      row.timeout_ms = 4'000;
      row.traffic.received = 3;
      row.traffic.sent = 2;
      row.traffic.latency.Add(std::chrono::milliseconds(6));
      row.last_operation = "GETD";
      row.last_xid = 5;
      row.last_zxid = 41;
      row.established = {900};
      row.last_response = {std::chrono::seconds(3)};
    }
    overview_.connections_open = rows_.size();
    overview_.connections = [this] { return rows_; };
    watches_.Add(WatchTable::Kind::kData, "/a", WatcherId(1));
    watches_.Add(WatchTable::Kind::kChildren, "/b", WatcherId(1));
    overview_.watches = &watches_;
  }
  json Ask(const char* name) { return json::parse(AnswerCommand(*FindCommand(name), overview_)); }

  WatchTable watches_;
  std::vector<ConnectionRow> rows_;
  Overview overview_;
};

TEST_F(CommandsTest, ACommandHasSeveralNames) {
  EXPECT_EQ(FindCommand("configuration"), FindCommand("conf"));
  EXPECT_EQ(FindCommand("configuration"), FindCommand("config"));
  EXPECT_EQ(WordOf(*FindCommand("monitor")), Word::kMntr);
  EXPECT_EQ(FindCommand(""), nullptr);
  EXPECT_EQ(FindCommand("snapshot"), nullptr);
}

// As ZooKeeper 3.9.5 has them, but for the numbers.
TEST_F(CommandsTest, ConnectionsArePlainOrSecure) {
  EXPECT_EQ(Ask("cons"), R"({
  "connections" : [ {
    "remote_socket_address" : "10.0.0.1:99",
    "interest_ops" : 1,
    "outstanding_requests" : 0,
    "packets_received" : 3,
    "packets_sent" : 2,
    "session_id" : 7,
    "last_operation" : "GETD",
    "established" : 900,
    "session_timeout" : 4000,
    "last_cxid" : 5,
    "last_zxid" : 41,
    "last_response_time" : 3000,
    "last_latency" : 6,
    "min_latency" : 6,
    "avg_latency" : 6,
    "max_latency" : 6
  } ],
  "secure_connections" : [ {
    "remote_socket_address" : "10.0.0.2:98",
    "interest_ops" : 1,
    "outstanding_requests" : 0,
    "packets_received" : 3,
    "packets_sent" : 2,
    "session_id" : 8,
    "last_operation" : "GETD",
    "established" : 900,
    "session_timeout" : 4000,
    "last_cxid" : 5,
    "last_zxid" : 41,
    "last_response_time" : 3000,
    "last_latency" : 6,
    "min_latency" : 6,
    "avg_latency" : 6,
    "max_latency" : 6
  } ],
  "command" : "connections",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("stats")["secure_connections"], R"([ {
    "remote_socket_address" : "10.0.0.2:98",
    "interest_ops" : 1,
    "outstanding_requests" : 0,
    "packets_received" : 3,
    "packets_sent" : 2
  } ])"_json);
}

TEST_F(CommandsTest, SessionsAndTheirEphemerals) {
  overview_.sessions = {{model::SessionId(7), 4'000, {"/e"}}, {model::SessionId(8), 4'000, {}}};
  EXPECT_EQ(Ask("dump"), R"({
  "expiry_time_to_session_ids" : {
    "5000" : [ 7, 8 ]
  },
  "session_id_to_ephemeral_paths" : {
    "7" : [ "/e" ]
  },
  "command" : "dump",
  "error" : null
})"_json);
}

TEST_F(CommandsTest, Watches) {
  EXPECT_EQ(Ask("wchc"), R"({
  "session_id_to_watched_paths" : {
    "7" : [ "/a", "/b" ]
  },
  "command" : "watches",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("wchp"), R"({
  "path_to_session_ids" : {
    "/a" : [ 7 ],
    "/b" : [ 7 ]
  },
  "command" : "watches_by_path",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("wchs"), R"({
  "num_connections" : 1,
  "num_paths" : 2,
  "num_total_watches" : 2,
  "command" : "watch_summary",
  "error" : null
})"_json);
}

TEST_F(CommandsTest, WhatExportersRead) {
  const json monitor = Ask("monitor");
  EXPECT_EQ(monitor["server_state"], "leader");
  EXPECT_EQ(monitor["znode_count"], 17);
  EXPECT_EQ(monitor["watch_count"], 2);
  EXPECT_EQ(monitor["avg_latency"], 0.0);
  EXPECT_EQ(monitor["num_alive_connections"], 2);
  EXPECT_EQ(monitor["synced_followers"], 0);
  const json srvr = Ask("server_stats");
  EXPECT_THAT(srvr["version"].get<std::string>(), StartsWith("3.9.5-pando-0.1.0, built on "));
  EXPECT_EQ(srvr["read_only"], false);
  EXPECT_EQ(srvr["node_count"], 17);
  EXPECT_EQ(srvr["server_stats"]["last_processed_zxid"], 42);
  EXPECT_EQ(srvr["server_stats"]["server_state"], "leader");
}

TEST_F(CommandsTest, TheRest) {
  EXPECT_EQ(Ask("configuration")["client_port"], 7403);
  EXPECT_EQ(Ask("dirs")["datadir_size"], 4'096);
  EXPECT_EQ(Ask("is_read_only")["read_only"], false);
  EXPECT_THAT(Ask("environment")["zookeeper.version"].get<std::string>(), StartsWith("3.9.5"));
}

// As ZooKeeper 3.9.5 has them, but for addresses that it has and Pando has not, and the counters of
// the queue to an observer.
TEST_F(CommandsTest, TheMembers) {
  using Member = model::Member;
  using Role = model::EnsembleStatus::Role;
  Ensemble& ensemble = overview_.ensemble.emplace();
  for (const uint64_t id : {1, 2, 3, 4}) {
    Member& member = ensemble.members.members.emplace_back();
    member.id = model::ServerId(id);
    member.role = id < 3 ? Member::Role::kVoter : Member::Role::kLearner;
    member.peer_address = absl::StrCat("10.0.0.", id, ":7401");
    if (id == 2) member.zookeeper_address = "10.0.0.2:7403";
    ensemble.status.members.push_back({.id = member.id,
                                       .role = id < 3 ? Role::kFollower : Role::kLearner,
                                       .applied = model::Revision(40),
                                       .reachable = id != 4,
                                       .peer_address = member.peer_address});
  }
  EXPECT_EQ(Ask("voting_view"), R"({
  "current_config" : {
    "1" : {
      "server_addresses" : [ "10.0.0.1:7401" ],
      "election_addresses" : [ "10.0.0.1:7401" ],
      "client_address" : "",
      "learner_type" : "participant"
    },
    "2" : {
      "server_addresses" : [ "10.0.0.2:7401" ],
      "election_addresses" : [ "10.0.0.2:7401" ],
      "client_address" : "10.0.0.2:7403",
      "learner_type" : "participant"
    }
  },
  "command" : "voting_view",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("observers"), R"({
  "synced_observers" : 1,
  "observers" : [ { "remote_socket_address" : "10.0.0.3:7401", "sid" : 3, "last_zxid" : 40 } ],
  "command" : "observers",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("leader"), R"({
  "is_leader" : true,
  "leader_id" : 2,
  "leader_ip" : "10.0.0.2",
  "command" : "leader",
  "error" : null
})"_json);
  EXPECT_EQ(Ask("zabstate"), R"({
  "myid" : 2,
  "is_leader" : true,
  "quorum_address" : {
    "empty" : false,
    "all_addresses" : [ "10.0.0.2:7401" ],
    "wildcard_addresses" : [ "0.0.0.0:7401" ],
    "all_ports" : [ 7401 ],
    "all_host_strings" : [ "10.0.0.2" ],
    "reachable_address" : "10.0.0.2:7401",
    "all_reachable_addresses" : [ "10.0.0.2:7401" ],
    "all_reachable_addresses_or_all" : [ "10.0.0.2:7401" ],
    "reachable_or_one" : "10.0.0.2:7401",
    "one" : "10.0.0.2:7401"
  },
  "election_address" : {
    "empty" : false,
    "all_addresses" : [ "10.0.0.2:7401" ],
    "wildcard_addresses" : [ "0.0.0.0:7401" ],
    "all_ports" : [ 7401 ],
    "all_host_strings" : [ "10.0.0.2" ],
    "reachable_address" : "10.0.0.2:7401",
    "all_reachable_addresses" : [ "10.0.0.2:7401" ],
    "all_reachable_addresses_or_all" : [ "10.0.0.2:7401" ],
    "reachable_or_one" : "10.0.0.2:7401",
    "one" : "10.0.0.2:7401"
  },
  "client_address" : "10.0.0.2:7403",
  "voting" : true,
  "last_zxid" : "0x2a",
  "zabstate" : "broadcast",
  "command" : "zabstate",
  "error" : null
})"_json);
  // Observers are followed by the leader only.
  overview_.facts.role = Role::kFollower;
  EXPECT_EQ(Ask("observers")["observers"], json::array());
  EXPECT_EQ(Ask("leader")["is_leader"], false);
}

TEST_F(CommandsTest, WithoutAnAnswerOfTheCoreNothingIsMadeUpOfTheMembers) {
  for (const char* name : {"voting_view", "observers", "leader"}) {
    EXPECT_EQ(AsksOf(*FindCommand(name)), Asks::kEnsemble);
    EXPECT_EQ(Ask(name)["error"], kNotServing) << name;
  }
  EXPECT_EQ(Ask("zabstate")["quorum_address"], nullptr);
  EXPECT_EQ(Ask("zabstate")["zabstate"], "broadcast");
}

TEST_F(CommandsTest, WhatIsNoUtf8CanBeParsed) {
  watches_.Add(WatchTable::Kind::kData, "/\xff", WatcherId(2));
  EXPECT_EQ(Ask("wchc")["session_id_to_watched_paths"]["8"], json({"/\ufffd"}));
}

TEST_F(CommandsTest, AServerThatIsReadOnly) {
  overview_.facts.serving = false;
  overview_.read_only = true;
  EXPECT_EQ(Ask("is_read_only")["read_only"], true);
  EXPECT_EQ(Ask("server_stats")["read_only"], true);
  EXPECT_EQ(Ask("monitor")["server_state"], "read-only");
  EXPECT_EQ(Ask("zabstate")["zabstate"], "election");
}

TEST_F(CommandsTest, AServerThatDoesNotServe) {
  overview_.facts.serving = false;
  EXPECT_EQ(Ask("ruok"), R"({
  "command" : "ruok",
  "error" : "This ZooKeeper instance is not currently serving requests"
})"_json);
  EXPECT_EQ(Ask("zabstate")["zabstate"], "election");
}

}  // namespace
}  // namespace pando::zookeeper
