#include "zookeeper/overview.h"

#include <sys/utsname.h>

#include <chrono>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/limits.h"

namespace pando::zookeeper {
namespace {

using Role = model::EnsembleStatus::Role;

// Of ZooKeeper, whose words these are: clients choose by it what they may ask.
constexpr char kSpoken[] = "3.9.5";

}  // namespace

// A build says nothing of its date, so that it can be made again; some clients want to read one.
std::string VersionOf(const Overview& overview) {
  return absl::StrCat(kSpoken, "-pando-", overview.facts.version,
                      ", built on 01/01/1970 00:00 GMT");
}

const char* ModeOf(const Overview& overview) {
  const Facts& facts = overview.facts;
  if (overview.read_only) return "read-only";
  if (facts.members == 1) return "standalone";
  switch (facts.role) {
    case Role::kLeader:
      return "leader";
    case Role::kLearner:
      return "observer";
    case Role::kFollower:
    case Role::kCandidate:
      break;
  }
  return "follower";
}

const char* PeerStateOf(const Facts& facts) {
  if (!facts.serving) return "looking";
  switch (facts.role) {
    case Role::kLeader:
      return "leading - broadcast";
    case Role::kLearner:
      return "observing - broadcast";
    case Role::kFollower:
    case Role::kCandidate:
      break;
  }
  return "following - broadcast";
}

const model::Member* LeaderOf(const Overview& overview) {
  return overview.ensemble ? overview.ensemble->members.Find(overview.facts.leader) : nullptr;
}

const model::Member* SelfOf(const Overview& overview) {
  return overview.ensemble ? overview.ensemble->members.Find(overview.facts.server) : nullptr;
}

std::string Hex(uint64_t number) { return absl::StrCat("0x", absl::Hex(number)); }

int64_t Milliseconds(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string Decimal(double number) {
  std::string text = absl::StrFormat("%.4f", number);
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

std::vector<Measure> MeasuresOf(const Overview& overview) {
  const Facts& facts = overview.facts;
  const Latency& latency = overview.traffic.latency;
  const Rejections& rejections = overview.rejections;
  const OpenFiles files = overview.open_files();
  const auto count = [](auto number) { return static_cast<uint64_t>(number); };
  std::vector<Measure> measures = {
      {"version", VersionOf(overview)},
      {"server_state", std::string(ModeOf(overview))},
      {"avg_latency", latency.average_ms()},
      {"max_latency", count(Milliseconds(latency.max))},
      {"min_latency", count(Milliseconds(latency.min))},
      {"packets_received", overview.traffic.received},
      {"packets_sent", overview.traffic.sent},
      {"num_alive_connections", count(overview.connections_open)},
      {"outstanding_requests", count(overview.outstanding())},
      {"znode_count", facts.nodes},
      {"watch_count", count(overview.watches->watches())},
      {"ephemerals_count", facts.ephemerals},
      {"approximate_data_size", facts.data_bytes},
      {"global_sessions", facts.sessions},
      {"local_sessions", uint64_t{0}},
      {"quorum_size", facts.members - facts.learners},
      {"uptime", count(Milliseconds(overview.uptime))},
      {"open_file_descriptor_count", files.open},
      {"max_file_descriptor_count", files.max},
      {"connection_request_count", overview.connections_opened},
      {"connection_rejected", rejections.crowded},
      {"connection_drop_count", uint64_t{0}},
      {"connection_drop_probability", 0.0},
      {"sessionless_connections_expired", rejections.silent},
      {"unsuccessful_handshake", rejections.handshakes},
      {"auth_failed_count", rejections.unauthenticated},
      {"looking_count", facts.elections},
      {"digest_mismatches_count", facts.digest_mismatches},
  };
  if (facts.members > 1) measures.push_back({"peer_state", std::string(PeerStateOf(facts))});
  if (facts.role == Role::kLearner)
    measures.push_back({"observer_master_id", facts.leader.value()});
  if (facts.role == Role::kLeader && facts.members > 1) {
    // In ZooKeeper's words who learns is whoever follows this leader, voters too.
    const uint64_t following = facts.members_reachable - 1;
    measures.push_back({"learners", following});
    measures.push_back({"followers", following});
    measures.push_back({"synced_followers", following - facts.learners_reachable});
    measures.push_back({"synced_observers", facts.learners_reachable});
    measures.push_back({"pending_syncs", uint64_t{0}});
  }
  return measures;
}

std::vector<Setting> SettingsOf(const Overview& overview) {
  const Facts& facts = overview.facts;
  const auto disk_bytes = static_cast<int64_t>(facts.disk_bytes);
  return {
      {"clientPort", "client_port", int64_t{overview.port}},
      {"secureClientPort", nullptr, int64_t{overview.secure_port}},
      {"dataDir", "data_dir", facts.data_dir},
      {"dataDirSize", nullptr, disk_bytes},
      {"dataLogDir", "data_log_dir", facts.data_dir},
      {"dataLogSize", nullptr, int64_t{0}},  // all of it is in dataDirSize
      // So that the least timeout is two of them, as there.
      {"tickTime", "tick_time", int64_t{model::kSessionTimeoutMsMin / 2}},
      {"maxClientCnxns", "max_client_cnxns", int64_t{0}},
      {"minSessionTimeout", "min_session_timeout", int64_t{model::kSessionTimeoutMsMin}},
      {"maxSessionTimeout", "max_session_timeout", int64_t{model::kSessionTimeoutMsMax}},
      {"serverId", "server_id", static_cast<int64_t>(facts.server.value())},
  };
}

std::vector<std::pair<const char*, std::string>> EnvironmentOf(const Overview& overview) {
  std::vector<std::pair<const char*, std::string>> environment = {
      {"zookeeper.version", VersionOf(overview)}};
  utsname system{};
  if (uname(&system) == 0) {
    environment.emplace_back("host.name", system.nodename);
    environment.emplace_back("os.name", system.sysname);
    environment.emplace_back("os.arch", system.machine);
    environment.emplace_back("os.version", system.release);
  }
  return environment;
}

std::vector<WatchedPath> WatchesOf(const Overview& overview) {
  std::map<WatcherId, model::SessionId> sessions;
  for (const ConnectionRow& row : overview.connections()) sessions[row.id] = row.session;
  std::vector<WatchedPath> watched;
  for (WatchTable::Row& row : overview.watches->Rows()) {
    WatchedPath& path = watched.emplace_back();
    path.path = std::move(row.path);
    for (const WatcherId watcher : row.watchers) path.sessions.push_back(sessions[watcher]);
  }
  return watched;
}

}  // namespace pando::zookeeper
