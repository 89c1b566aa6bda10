#include "zookeeper/commands.h"

#include <array>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
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
  for (const ConnectionRow& row : overview.connections) {
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

Json Leader(const Overview& overview) {
  const Facts& facts = overview.facts;
  return {{"is_leader", facts.role == Role::kLeader}, {"leader_id", facts.leader.value()}};
}

Json Monitor(const Overview& overview) {
  Json out;
  for (const Measure& measure : MeasuresOf(overview)) out[measure.name] = ValueOf(measure.value);
  return out;
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
                {"outstanding_requests", OutstandingOf(overview)},
                {"server_state", ModeOf(overview)},
                {"num_alive_client_connections", overview.connections.size()},
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

Json ZabState(const Overview& overview) {
  const Facts& facts = overview.facts;
  return {{"myid", facts.server.value()},
          {"is_leader", facts.role == Role::kLeader},
          {"voting", facts.role != Role::kLearner},
          {"last_zxid", Hex(overview.zxid.value())},
          {"zabstate", facts.serving ? "broadcast" : "election"}};
}

}  // namespace

struct Command {
  std::array<std::string_view, 3> names;  // the first one is its own; empty: no more
  Word word;
  bool of_the_process;  // answered by a server that does not serve, too
  Json (*tell)(const Overview& overview);
};

namespace {

constexpr Command kCommands[] = {
    {{{"configuration", "conf", "config"}}, Word::kConf, true, &Configuration},
    {{{"connection_stat_reset", "crst"}}, Word::kCrst, false, &Nothing},
    {{{"connections", "cons"}}, Word::kCons, false, &Connections},
    {{{"dirs"}}, Word::kDirs, false, &Dirs},
    {{{"dump"}}, Word::kDump, false, &Dump},
    {{{"environment", "env", "envi"}}, Word::kEnvi, true, &Environment},
    {{{"is_read_only", "isro"}}, Word::kIsro, false, &IsReadOnly},
    {{{"leader", "lead"}}, Word::kSrvr, false, &Leader},
    {{{"monitor", "mntr"}}, Word::kMntr, true, &Monitor},
    {{{"ruok"}}, Word::kRuok, false, &Nothing},
    {{{"server_stats", "srvr"}}, Word::kSrvr, false, &ServerStats},
    {{{"stat_reset", "srst"}}, Word::kSrst, false, &Nothing},
    {{{"stats", "stat"}}, Word::kStat, false, &Stats},
    {{{"watch_summary", "wchs"}}, Word::kWchs, false, &WatchSummary},
    {{{"watches", "wchc"}}, Word::kWchc, false, &Watches},
    {{{"watches_by_path", "wchp"}}, Word::kWchp, false, &WatchesByPath},
    {{{"zabstate"}}, Word::kSrvr, true, &ZabState},
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

std::string AnswerCommand(const Command& command, const Overview& overview) {
  if (!overview.serving() && !command.of_the_process) {
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
