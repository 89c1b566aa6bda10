#include "zookeeper/commands.h"

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/status.h"

namespace pando::zookeeper {
namespace {

// By their names: JSON has no order, and who reads all sessions or watches finds each at once.
using Json = nlohmann::json;
using Role = model::EnsembleStatus::Role;

constexpr int kIndent = 2;

std::string TextOf(const Json& json) {
  // What is no UTF-8 becomes U+FFFD: a path is what some client has sent.
  return json.dump(kIndent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

template <class... Kinds>
Json ValueOf(const std::variant<Kinds...>& value) {
  return std::visit([](const auto& one) { return Json(one); }, value);
}

Json Nothing(const Overview&) { return Json::object(); }

Json Configuration(const Overview& overview) {
  Json out;
  for (const Setting& setting : SettingsOf(overview)) {
    if (setting.json_name != nullptr) out[setting.json_name] = ValueOf(setting.value);
  }
  return out;
}

Json Brief(const ConnectionRow& row) {
  return {{"remote_socket_address", row.caller},
          {"interest_ops", 1},
          {"outstanding_requests", row.outstanding},
          {"packets_received", row.traffic.received},
          {"packets_sent", row.traffic.sent}};
}

Json Whole(const ConnectionRow& row) {
  const Latency& latency = row.traffic.latency;
  Json out = Brief(row);
  out.update({{"session_id", row.session.value()},
              {"last_operation", row.last_operation},
              {"established", row.established.ms},
              {"session_timeout", row.timeout_ms},
              {"last_cxid", row.last_xid},
              {"last_zxid", row.last_zxid},
              {"last_response_time", Milliseconds(row.last_response.since_start)},
              {"last_latency", Milliseconds(latency.last)},
              {"min_latency", Milliseconds(latency.min)},
              {"avg_latency", static_cast<int64_t>(latency.average_ms())},
              {"max_latency", Milliseconds(latency.max)}});
  return out;
}

Json ConnectionsOf(const Overview& overview, Json (*write)(const ConnectionRow&)) {
  Json plain = Json::array();
  Json secure = Json::array();
  for (const ConnectionRow& row : overview.connections()) {
    (row.secure ? secure : plain).push_back(write(row));
  }
  return {{"connections", std::move(plain)}, {"secure_connections", std::move(secure)}};
}

Json Connections(const Overview& overview) { return ConnectionsOf(overview, &Whole); }

Json Dirs(const Overview& overview) {
  return {{"datadir_size", overview.facts.disk_bytes}, {"logdir_size", 0}};
}

Json Dump(const Overview& overview) {
  Json by_time = Json::object();
  Json ephemerals = Json::object();
  for (const SessionRow& row : overview.sessions) {
    by_time[absl::StrCat(overview.now.ms + row.timeout_ms)].push_back(row.session.value());
    if (!row.ephemerals.empty()) ephemerals[absl::StrCat(row.session.value())] = row.ephemerals;
  }
  return {{"expiry_time_to_session_ids", std::move(by_time)},
          {"session_id_to_ephemeral_paths", std::move(ephemerals)}};
}

Json Environment(const Overview& overview) {
  Json out;
  for (const auto& [name, value] : EnvironmentOf(overview)) out[name] = value;
  return out;
}

Json IsReadOnly(const Overview& overview) { return {{"read_only", overview.read_only}}; }

std::string HostOf(const std::string& address) { return base::SplitHostPort(address).host; }

Json Leader(const Overview& overview) {
  const Facts& facts = overview.facts;
  const model::Member* leader = LeaderOf(overview);
  return {{"is_leader", facts.role == Role::kLeader},
          {"leader_id", facts.leader.value()},
          {"leader_ip", leader == nullptr ? "" : HostOf(leader->peer_address)}};
}

Json Monitor(const Overview& overview) {
  Json out;
  for (const Measure& measure : MeasuresOf(overview)) out[measure.name] = ValueOf(measure.value);
  return out;
}

// Who follows this leader without a vote; all others know of none, as in ZooKeeper.
Json Observers(const Overview& overview) {
  Json observers = Json::array();
  for (const model::EnsembleStatus::Member& member : overview.ensemble->status.members) {
    const bool follows = overview.facts.role == Role::kLeader && member.reachable;
    if (!follows || member.role != Role::kLearner) continue;
    observers.push_back({{"remote_socket_address", member.peer_address},
                         {"sid", member.id.value()},
                         {"last_zxid", member.applied.value()}});
  }
  const size_t count = observers.size();
  return {{"synced_observers", count}, {"observers", std::move(observers)}};
}

Json ServerStats(const Overview& overview) {
  const Facts& facts = overview.facts;
  const Latency& latency = overview.traffic.latency;
  Json stats = {{"packets_sent", overview.traffic.sent},
                {"packets_received", overview.traffic.received},
                {"max_latency", Milliseconds(latency.max)},
                {"min_latency", Milliseconds(latency.min)},
                {"avg_latency", latency.average_ms()},
                {"data_dir_size", facts.disk_bytes},
                {"log_dir_size", 0},
                {"last_processed_zxid", overview.zxid.value()},
                {"outstanding_requests", overview.outstanding()},
                {"server_state", ModeOf(overview)},
                {"num_alive_client_connections", overview.connections_open},
                {"uptime", Milliseconds(overview.uptime)},
                {"auth_failed_count", overview.rejections.unauthenticated},
                {"provider_null", false}};
  return {{"version", VersionOf(overview)},
          {"read_only", overview.read_only},
          {"server_stats", std::move(stats)},
          {"node_count", facts.nodes}};
}

Json Stats(const Overview& overview) {
  Json out = ServerStats(overview);
  out.update(ConnectionsOf(overview, &Brief));
  return out;
}

Json VotingView(const Overview& overview) {
  Json voters = Json::object();
  for (const model::Member& member : overview.ensemble->members.members) {
    if (member.role != model::Member::Role::kVoter) continue;
    // One port of Pando's stands for both of ZooKeeper's among servers.
    const Json among_servers = Json::array({member.peer_address});
    voters[absl::StrCat(member.id.value())] = {{"server_addresses", among_servers},
                                               {"election_addresses", among_servers},
                                               {"client_address", member.zookeeper_address},
                                               {"learner_type", "participant"}};
  }
  return {{"current_config", std::move(voters)}};
}

Json Watches(const Overview& overview) {
  Json paths = Json::object();
  for (const WatchedPath& watched : WatchesOf(overview)) {
    for (const model::SessionId session : watched.sessions) {
      paths[absl::StrCat(session.value())].push_back(watched.path);
    }
  }
  return {{"session_id_to_watched_paths", std::move(paths)}};
}

Json WatchesByPath(const Overview& overview) {
  Json paths = Json::object();
  for (const WatchedPath& watched : WatchesOf(overview)) {
    Json& sessions = paths[watched.path] = Json::array();
    for (const model::SessionId session : watched.sessions) sessions.push_back(session.value());
  }
  return {{"path_to_session_ids", std::move(paths)}};
}

Json WatchSummary(const Overview& overview) {
  return {{"num_connections", overview.watches->watchers()},
          {"num_paths", overview.watches->paths()},
          {"num_total_watches", overview.watches->watches()}};
}

// ZooKeeper's server may have several addresses, and tells what it makes of them.
Json AddressesOf(const std::string& address) {
  const base::HostPort at = base::SplitHostPort(address);
  const Json all = Json::array({address});
  return {{"empty", false},
          {"one", address},
          {"reachable_address", address},
          {"reachable_or_one", address},
          {"all_addresses", all},
          {"all_reachable_addresses", all},
          {"all_reachable_addresses_or_all", all},
          {"all_host_strings", Json::array({at.host})},
          {"all_ports", Json::array({std::atoi(at.port.c_str())})},
          {"wildcard_addresses", Json::array({absl::StrCat("0.0.0.0:", at.port)})}};
}

Json ZabState(const Overview& overview) {
  const Facts& facts = overview.facts;
  const model::Member* self = SelfOf(overview);
  const Json among_servers = self == nullptr ? Json() : AddressesOf(self->peer_address);
  return {{"myid", facts.server.value()},
          {"is_leader", facts.role == Role::kLeader},
          {"quorum_address", among_servers},
          {"election_address", among_servers},
          {"client_address", self == nullptr ? Json() : Json(self->zookeeper_address)},
          {"voting", facts.role != Role::kLearner},
          {"last_zxid", Hex(overview.zxid.value())},
          {"zabstate", facts.serving ? "broadcast" : "election"}};
}

}  // namespace

struct Command {
  std::array<std::string_view, 3> names;  // the first one is its own; empty: no more
  Word word;
  bool of_the_process;  // answered by a server that does not serve, too
  Asks asks;
  Json (*tell)(const Overview& overview);
};

namespace {

constexpr Command kCommands[] = {
    {{{"configuration", "conf", "config"}}, Word::kConf, true, Asks::kNothing, &Configuration},
    {{{"connection_stat_reset", "crst"}}, Word::kCrst, false, Asks::kNothing, &Nothing},
    {{{"connections", "cons"}}, Word::kCons, false, Asks::kNothing, &Connections},
    {{{"dirs"}}, Word::kDirs, false, Asks::kNothing, &Dirs},
    {{{"dump"}}, Word::kDump, false, Asks::kSessions, &Dump},
    {{{"environment", "env", "envi"}}, Word::kEnvi, true, Asks::kNothing, &Environment},
    {{{"is_read_only", "isro"}}, Word::kIsro, false, Asks::kNothing, &IsReadOnly},
    {{{"leader", "lead"}}, Word::kSrvr, false, Asks::kEnsemble, &Leader},
    {{{"monitor", "mntr"}}, Word::kMntr, true, Asks::kNothing, &Monitor},
    {{{"observers", "obsr"}}, Word::kSrvr, false, Asks::kEnsemble, &Observers},
    {{{"ruok"}}, Word::kRuok, false, Asks::kNothing, &Nothing},
    {{{"server_stats", "srvr"}}, Word::kSrvr, false, Asks::kNothing, &ServerStats},
    {{{"stat_reset", "srst"}}, Word::kSrst, false, Asks::kNothing, &Nothing},
    {{{"stats", "stat"}}, Word::kStat, false, Asks::kNothing, &Stats},
    {{{"voting_view"}}, Word::kConf, false, Asks::kEnsemble, &VotingView},
    {{{"watch_summary", "wchs"}}, Word::kWchs, false, Asks::kNothing, &WatchSummary},
    {{{"watches", "wchc"}}, Word::kWchc, false, Asks::kNothing, &Watches},
    {{{"watches_by_path", "wchp"}}, Word::kWchp, false, Asks::kNothing, &WatchesByPath},
    {{{"zabstate"}}, Word::kSrvr, true, Asks::kEnsemble, &ZabState},
};

}  // namespace

const Command* FindCommand(std::string_view name) {
  for (const Command& command : kCommands) {
    for (const std::string_view one : command.names) {
      if (one == name && !name.empty()) return &command;
    }
  }
  return nullptr;
}

Word WordOf(const Command& command) { return command.word; }
Asks AsksOf(const Command& command) { return command.asks; }

std::string AnswerCommand(const Command& command, const Overview& overview) {
  const bool lacks = command.asks == Asks::kEnsemble && !overview.ensemble;
  if (!command.of_the_process && (!overview.serving() || lacks)) {
    return RefuseCommand(command.names.front(), kNotServing);
  }
  Json out = command.tell(overview);
  out["command"] = command.names.front();
  out["error"] = nullptr;
  return TextOf(out);
}

std::string RefuseCommand(std::string_view name, std::string_view error) {
  return TextOf({{"command", name}, {"error", error}});
}

std::string ListCommands(const std::vector<Word>& enabled) {
  std::string out;
  for (const Command& command : kCommands) {
    if (!IsEnabled(command.word, enabled)) continue;
    const absl::string_view name = base::View(command.names.front());
    absl::StrAppend(&out, "<a href=\"/commands/", name, "\">", name, "</a>\n<br/>\n");
  }
  return out;
}

}  // namespace pando::zookeeper
