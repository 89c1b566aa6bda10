#include "zookeeper/four_letter.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/status.h"
#include "model/limits.h"

namespace pando::zookeeper {
namespace {

using Role = model::EnsembleStatus::Role;

constexpr std::string_view kNames[] = {"conf", "cons", "dirs", "dump", "envi", "isro", "mntr",
                                       "ruok", "srst", "srvr", "stat", "wchc", "wchp", "wchs"};
constexpr char kNotServing[] = "This ZooKeeper instance is not currently serving requests\n";
// Of ZooKeeper, whose words these are: clients choose by it what they may ask.
constexpr char kSpoken[] = "3.9.5";

std::string_view NameOf(Word word) { return kNames[static_cast<size_t>(word)]; }

// A build says nothing of its date, so that it can be made again; some clients want to read one.
std::string Version(const Overview& overview) {
  return absl::StrCat(kSpoken, "-pando-", overview.facts.version,
                      ", built on 01/01/1970 00:00 GMT");
}

const char* Mode(const Overview& overview) {
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

// As Java prints it: 0.0, 1.5, 11.25.
std::string Average(const Traffic& traffic) {
  std::string text = absl::StrFormat("%.4f", traffic.latency_ms_avg());
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

std::string Outstanding(const Overview& overview) {
  size_t sum = 0;
  for (const ConnectionRow& row : overview.connections) sum += row.outstanding;
  return absl::StrCat(sum);
}

std::string Hex(uint64_t number) { return absl::StrCat("0x", absl::Hex(number)); }

std::string Server(const Overview& overview) {
  const Traffic& traffic = overview.traffic;
  return absl::StrFormat(
      "Latency min/avg/max: %.0f/%s/%.0f\nReceived: %u\nSent: %u\nConnections: %u\n"
      "Outstanding: %s\nZxid: %s\nMode: %s\nNode count: %u\n",
      traffic.latency_ms_min, Average(traffic), traffic.latency_ms_max, traffic.received,
      traffic.sent, overview.connections.size(), Outstanding(overview), Hex(overview.zxid.value()),
      Mode(overview), overview.facts.nodes);
}

std::string Brief(const ConnectionRow& row) {
  return absl::StrFormat(" /%s[1](queued=%u,recved=%u,sent=%u", row.caller, row.outstanding,
                         row.received, row.sent);
}

std::string Connections(const Overview& overview) {
  std::string out;
  for (const ConnectionRow& row : overview.connections) {
    absl::StrAppend(&out, Brief(row));
    if (row.session) {
      absl::StrAppend(&out, ",sid=", Hex(row.session.value()), ",to=", row.timeout_ms);
    }
    absl::StrAppend(&out, ")\n");
  }
  return out;
}

std::string Stat(const Overview& overview) {
  std::string out = absl::StrCat("Zookeeper version: ", Version(overview), "\nClients:\n");
  for (const ConnectionRow& row : overview.connections) absl::StrAppend(&out, Brief(row), ")\n");
  return absl::StrCat(out, "\n", Server(overview));
}

std::string Monitor(const Overview& overview) {
  const Facts& facts = overview.facts;
  const Traffic& traffic = overview.traffic;
  std::string out;
  const auto line = [&out](const char* name, const auto& value) {
    absl::StrAppend(&out, "zk_", name, "\t", value, "\n");
  };
  line("version", Version(overview));
  line("server_state", Mode(overview));
  line("avg_latency", Average(traffic));
  line("max_latency", absl::StrFormat("%.0f", traffic.latency_ms_max));
  line("min_latency", absl::StrFormat("%.0f", traffic.latency_ms_min));
  line("packets_received", traffic.received);
  line("packets_sent", traffic.sent);
  line("num_alive_connections", overview.connections.size());
  line("outstanding_requests", Outstanding(overview));
  line("znode_count", facts.nodes);
  line("watch_count", overview.watches->watches());
  line("ephemerals_count", facts.ephemerals);
  line("approximate_data_size", facts.data_bytes);
  line("global_sessions", facts.sessions);
  line("local_sessions", 0);
  line("quorum_size", facts.members);
  if (facts.role == Role::kLeader && facts.members > 1) {
    line("learners", facts.members - 1);
    line("followers", facts.members - 1);
    line("synced_followers", facts.members_reachable - 1);
    line("pending_syncs", 0);
  }
  return out;
}

std::string Configuration(const Overview& overview) {
  const size_t colon = overview.listen_address.rfind(':');
  return absl::StrCat("clientPort=", base::View(overview.listen_address).substr(colon + 1),
                      "\nclientPortAddress=", overview.listen_address,
                      "\nmaxClientCnxns=0\nmaxCnxns=", overview.connections_max,
                      "\nminSessionTimeout=", model::kSessionTimeoutMsMin,
                      "\nmaxSessionTimeout=", model::kSessionTimeoutMsMax,
                      "\nserverId=", overview.facts.server.value(), "\n");
}

std::string Environment(const Overview& overview) {
  return absl::StrCat("Environment:\nzookeeper.version=", Version(overview), "\n");
}

// The sessions of this server's connections; those of others are theirs to tell.
std::string Sessions(const Overview& overview) {
  std::map<int64_t, std::vector<uint64_t>> by_timeout;
  size_t count = 0;
  for (const ConnectionRow& row : overview.connections) {
    if (!row.session) continue;
    by_timeout[row.timeout_ms].push_back(row.session.value());
    ++count;
  }
  std::string out =
      absl::StrCat("SessionTracker dump:\nSession Sets (", by_timeout.size(), ")/(", count, "):\n");
  for (const auto& [timeout_ms, sessions] : by_timeout) {
    absl::StrAppend(&out, sessions.size(), " expire in ", timeout_ms, "ms:\n");
    for (const uint64_t session : sessions) absl::StrAppend(&out, "\t", Hex(session), "\n");
  }
  return out;
}

std::string WatchSummary(const Overview& overview) {
  const WatchTable& watches = *overview.watches;
  return absl::StrCat(watches.watchers(), " connections watching ", watches.paths(),
                      " paths\nTotal watches:", watches.watches(), "\n");
}

std::map<WatcherId, std::string> SessionsOfWatchers(const Overview& overview) {
  std::map<WatcherId, std::string> sessions;
  for (const ConnectionRow& row : overview.connections) {
    sessions[row.id] = Hex(row.session.value());
  }
  return sessions;
}

std::string WatchesByPath(const Overview& overview) {
  std::map<WatcherId, std::string> sessions = SessionsOfWatchers(overview);
  std::string out;
  for (const WatchTable::Row& row : overview.watches->Rows()) {
    absl::StrAppend(&out, row.path, "\n");
    for (const WatcherId watcher : row.watchers) {
      absl::StrAppend(&out, "\t", sessions[watcher], "\n");
    }
  }
  return out;
}

std::string WatchesBySession(const Overview& overview) {
  std::map<WatcherId, std::string> sessions = SessionsOfWatchers(overview);
  std::map<std::string, std::set<std::string>> paths;
  for (const WatchTable::Row& row : overview.watches->Rows()) {
    for (const WatcherId watcher : row.watchers) paths[sessions[watcher]].insert(row.path);
  }
  std::string out;
  for (const auto& [session, of_it] : paths) {
    absl::StrAppend(&out, session, "\n");
    for (const std::string& path : of_it) absl::StrAppend(&out, "\t", path, "\n");
  }
  return out;
}

}  // namespace

std::optional<Word> WordOf(std::string_view first_bytes) {
  const auto* found =
      std::find(std::begin(kNames), std::end(kNames), first_bytes.substr(0, kWordBytes));
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Word>(found - std::begin(kNames));
}

std::optional<std::vector<Word>> ParseWords(std::string_view list) {
  std::vector<Word> words;
  for (const absl::string_view part : absl::StrSplit(base::View(list), ',', absl::SkipEmpty())) {
    const std::string_view name(part.data(), part.size());
    if (name == "*") {
      for (size_t i = 0; i < std::size(kNames); ++i) words.push_back(static_cast<Word>(i));
      continue;
    }
    const std::optional<Word> word = WordOf(name);
    if (!word || name.size() != kWordBytes) return std::nullopt;
    words.push_back(*word);
  }
  return words;
}

std::string AnswerWord(Word word, const std::vector<Word>& enabled, const Overview& overview) {
  if (std::find(enabled.begin(), enabled.end(), word) == enabled.end()) {
    return absl::StrCat(base::View(NameOf(word)),
                        " is not executed because it is not in the whitelist.\n");
  }
  const bool of_the_process =
      word == Word::kRuok || word == Word::kConf || word == Word::kEnvi || word == Word::kIsro;
  const bool serving = overview.facts.serving || overview.read_only;
  if (!serving && !of_the_process) return kNotServing;
  switch (word) {
    case Word::kConf:
      return Configuration(overview);
    case Word::kCons:
      return absl::StrCat(Connections(overview), "\n");
    case Word::kDirs:
      return absl::StrCat("datadir_size: ", overview.facts.disk_bytes, "\nlogdir_size: 0\n");
    case Word::kDump:
      return Sessions(overview);
    case Word::kEnvi:
      return Environment(overview);
    case Word::kIsro:
      return overview.read_only ? "ro" : serving ? "rw" : "null";
    case Word::kMntr:
      return Monitor(overview);
    case Word::kRuok:
      return "imok";
    case Word::kSrst:
      return "Server stats reset.\n";
    case Word::kSrvr:
      return absl::StrCat("Zookeeper version: ", Version(overview), "\n", Server(overview));
    case Word::kStat:
      return Stat(overview);
    case Word::kWchc:
      return absl::StrCat(WatchesBySession(overview), "\n");
    case Word::kWchp:
      return absl::StrCat(WatchesByPath(overview), "\n");
    case Word::kWchs:
      return WatchSummary(overview);
  }
  base::Fatal("a four-letter word without an answer");
}

}  // namespace pando::zookeeper
