#include "zookeeper/four_letter.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/host_port.h"
#include "base/status.h"
#include "model/config_text.h"

namespace pando::zookeeper {
namespace {

constexpr std::string_view kNames[] = {"conf", "cons", "crst", "dirs", "dump",
                                       "envi", "isro", "mntr", "ruok", "srst",
                                       "srvr", "stat", "wchc", "wchp", "wchs"};

std::string_view NameOf(Word word) { return kNames[static_cast<size_t>(word)]; }

std::string Server(const Overview& overview) {
  const Traffic& traffic = overview.traffic;
  return absl::StrFormat(
      "Latency min/avg/max: %d/%s/%d\nReceived: %u\nSent: %u\nConnections: %u\n"
      "Outstanding: %u\nZxid: %s\nMode: %s\nNode count: %u\n",
      Milliseconds(traffic.latency.min), Decimal(traffic.latency.average_ms()),
      Milliseconds(traffic.latency.max), traffic.received, traffic.sent, overview.connections_open,
      overview.outstanding(), Hex(overview.zxid.value()), ModeOf(overview), overview.facts.nodes);
}

std::string Brief(const ConnectionRow& row) {
  return absl::StrFormat(" /%s[1](queued=%u,recved=%u,sent=%u", row.caller, row.outstanding,
                         row.traffic.received, row.traffic.sent);
}

std::string Whole(const ConnectionRow& row) {
  std::string out = Brief(row);
  if (!row.session) return out;
  absl::StrAppend(&out, ",sid=", Hex(row.session.value()), ",lop=", row.last_operation,
                  ",est=", row.established.ms, ",to=", row.timeout_ms);
  if (row.last_xid >= 0) {
    absl::StrAppend(&out, ",lcxid=", Hex(static_cast<uint64_t>(row.last_xid)));
  }
  const Latency& latency = row.traffic.latency;
  absl::StrAppend(&out, ",lzxid=", Hex(static_cast<uint64_t>(row.last_zxid)),
                  ",lresp=", Milliseconds(row.last_response.since_start),
                  ",llat=", Milliseconds(latency.last), ",minlat=", Milliseconds(latency.min),
                  ",avglat=", static_cast<int64_t>(latency.average_ms()),
                  ",maxlat=", Milliseconds(latency.max));
  return out;
}

std::string Connections(const Overview& overview) {
  std::string out;
  for (const ConnectionRow& row : overview.connections()) absl::StrAppend(&out, Whole(row), ")\n");
  return out;
}

std::string Stat(const Overview& overview) {
  std::string out = absl::StrCat("Zookeeper version: ", VersionOf(overview), "\nClients:\n");
  for (const ConnectionRow& row : overview.connections()) absl::StrAppend(&out, Brief(row), ")\n");
  return absl::StrCat(out, "\n", Server(overview));
}

std::string Monitor(const Overview& overview) {
  struct Text {
    std::string operator()(uint64_t number) const { return absl::StrCat(number); }
    std::string operator()(double number) const { return Decimal(number); }
    std::string operator()(const std::string& text) const { return text; }
  };
  std::string out;
  for (const Measure& measure : MeasuresOf(overview)) {
    absl::StrAppend(&out, "zk_", measure.name, "\t", std::visit(Text(), measure.value), "\n");
  }
  return out;
}

std::string Membership(const Overview& overview) {
  const model::Member* self = SelfOf(overview);
  if (self == nullptr) return {};
  const auto port = [](const std::string& address) { return base::SplitHostPort(address).port; };
  const bool votes = self->role == model::Member::Role::kVoter;
  return absl::StrCat(
      "electionPort=", port(self->peer_address), "\nquorumPort=", port(self->peer_address),
      "\npeerType=", votes ? 0 : 1, "\nmembership: \n",
      model::ConfigText(overview.ensemble->members, overview.ensemble->version), "\n");
}

std::string Configuration(const Overview& overview) {
  struct Text {
    std::string operator()(int64_t number) const { return absl::StrCat(number); }
    std::string operator()(const std::string& text) const { return text; }
  };
  std::string out;
  for (const Setting& setting : SettingsOf(overview)) {
    absl::StrAppend(&out, setting.name, "=", std::visit(Text(), setting.value), "\n");
  }
  return absl::StrCat(out, Membership(overview));
}

std::string Environment(const Overview& overview) {
  std::string out = "Environment:\n";
  for (const auto& [name, value] : EnvironmentOf(overview)) {
    absl::StrAppend(&out, name, "=", value, "\n");
  }
  return out;
}

// As Java's Date: "Sat Nov 28 09:23:00 UTC 2026".
std::string DateText(base::WallTime time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a %b %d %H:%M:%S UTC %Y", &tm)};
}

// Sets of what expires at a time, by how long from now that is at most: only the leader knows when
// a session was heard last.
using Sets = std::map<int64_t, std::vector<std::string>>;
std::string SetsText(const Sets& sets, base::WallTime now) {
  size_t count = 0;
  for (const auto& [timeout_ms, lines] : sets) count += lines.size();
  std::string out = absl::StrCat("(", sets.size(), ")/(", count, "):\n");
  for (const auto& [timeout_ms, lines] : sets) {
    absl::StrAppend(&out, lines.size(), " expire at ", DateText({now.ms + timeout_ms}), ":\n");
    for (const std::string& line : lines) absl::StrAppend(&out, "\t", line, "\n");
  }
  return out;
}

std::string Dump(const Overview& overview) {
  Sets sessions;
  size_t with_ephemerals = 0;
  std::string ephemerals;
  for (const SessionRow& row : overview.sessions) {
    const std::string id = Hex(row.session.value());
    sessions[row.timeout_ms].push_back(id);
    if (row.ephemerals.empty()) continue;
    ++with_ephemerals;
    absl::StrAppend(&ephemerals, id, ":\n");
    for (const std::string& path : row.ephemerals) absl::StrAppend(&ephemerals, "\t", path, "\n");
  }
  Sets connections;
  for (const ConnectionRow& row : overview.connections()) {
    connections[row.timeout_ms].push_back(
        absl::StrCat("ip: /", row.caller, " sessionId: ", Hex(row.session.value())));
  }
  return absl::StrCat("SessionTracker dump:\nSession Sets ", SetsText(sessions, overview.now),
                      "ephemeral nodes dump:\nSessions with Ephemerals (", with_ephemerals, "):\n",
                      ephemerals, "Connections dump:\nConnections Sets ",
                      SetsText(connections, overview.now));
}

std::string WatchSummary(const Overview& overview) {
  const WatchTable& watches = *overview.watches;
  return absl::StrCat(watches.watchers(), " connections watching ", watches.paths(),
                      " paths\nTotal watches:", watches.watches(), "\n");
}

std::string WatchesByPath(const Overview& overview) {
  std::string out;
  for (const WatchedPath& watched : WatchesOf(overview)) {
    absl::StrAppend(&out, watched.path, "\n");
    for (const model::SessionId session : watched.sessions) {
      absl::StrAppend(&out, "\t", Hex(session.value()), "\n");
    }
  }
  return out;
}

std::string WatchesBySession(const Overview& overview) {
  std::map<model::SessionId, std::set<std::string>> paths;
  for (const WatchedPath& watched : WatchesOf(overview)) {
    for (const model::SessionId session : watched.sessions) paths[session].insert(watched.path);
  }
  std::string out;
  for (const auto& [session, of_it] : paths) {
    absl::StrAppend(&out, Hex(session.value()), "\n");
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

bool IsEnabled(Word word, const std::vector<Word>& enabled) {
  return std::find(enabled.begin(), enabled.end(), word) != enabled.end();
}

std::string NotEnabled(Word word) {
  return absl::StrCat(base::View(NameOf(word)),
                      " is not executed because it is not in the whitelist.");
}

Asks AsksOf(Word word) {
  if (word == Word::kDump) return Asks::kSessions;
  return word == Word::kConf ? Asks::kEnsemble : Asks::kNothing;
}

std::string AnswerWord(Word word, const Overview& overview) {
  const bool of_the_process =
      word == Word::kRuok || word == Word::kConf || word == Word::kEnvi || word == Word::kIsro;
  if (!overview.serving() && !of_the_process) return absl::StrCat(kNotServing, "\n");
  switch (word) {
    case Word::kConf:
      return Configuration(overview);
    case Word::kCons:
      return absl::StrCat(Connections(overview), "\n");
    case Word::kCrst:
      return "Connection stats reset.\n";
    case Word::kDirs:
      return absl::StrCat("datadir_size: ", overview.facts.disk_bytes, "\nlogdir_size: 0\n");
    case Word::kDump:
      return Dump(overview);
    case Word::kEnvi:
      return Environment(overview);
    case Word::kIsro:
      return overview.read_only ? "ro" : overview.serving() ? "rw" : "null";
    case Word::kMntr:
      return Monitor(overview);
    case Word::kRuok:
      return "imok";
    case Word::kSrst:
      return "Server stats reset.\n";
    case Word::kSrvr:
      return absl::StrCat("Zookeeper version: ", VersionOf(overview), "\n", Server(overview));
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
