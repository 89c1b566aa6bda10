// Overview: a server as an operator of ZooKeeper sees it, at one moment. The four-letter words and
// the AdminServer's commands are two ways to write it down.
#ifndef PANDO_ZOOKEEPER_OVERVIEW_H_
#define PANDO_ZOOKEEPER_OVERVIEW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/reply.h"
#include "zookeeper/traffic.h"
#include "zookeeper/watch_table.h"

namespace pando::zookeeper {

// Of the whole server, as its core has last told.
struct Facts {
  std::string version;  // Pando's
  bool serving = false;
  model::EnsembleStatus::Role role = model::EnsembleStatus::Role::kFollower;
  model::ServerId server;
  model::ServerId leader;  // none: it knows of none
  uint64_t members = 1;
  uint64_t members_reachable = 1;  // this one too
  uint64_t learners = 0;           // of the members
  uint64_t learners_reachable = 0;
  uint64_t nodes = 0;
  uint64_t data_bytes = 0;
  std::string data_dir;
  uint64_t disk_bytes = 0;  // of data_dir
  uint64_t ephemerals = 0;
  uint64_t sessions = 0;  // of the ensemble
  uint64_t elections = 0;
  uint64_t digest_mismatches = 0;
};

struct ConnectionRow {
  WatcherId id;
  std::string caller;   // its address and port
  bool secure = false;  // under TLS
  model::SessionId session;
  int64_t timeout_ms = 0;
  size_t outstanding = 0;
  Traffic traffic;
  base::WallTime established;
  const char* last_operation = "NA";  // ZooKeeper's letters for it
  int64_t last_xid = -1;              // below 0: none
  int64_t last_zxid = -1;             // likewise
  base::Instant last_response;
};

// A session of the ensemble, and its ephemeral nodes.
struct SessionRow {
  model::SessionId session;
  int64_t timeout_ms = 0;
  std::vector<std::string> ephemerals;
};

// What of an answer is not at hand, and has to be asked of the core.
enum class Asks : uint8_t { kNothing, kSessions, kEnsemble };

// Who the members are.
struct Ensemble {
  model::Membership members;
  model::EnsembleStatus status;
  model::Revision version;  // of /zookeeper/config; 0: there is none yet
};

// Who was not let in, or not for long, since the start.
struct Rejections {
  uint64_t crowded = 0;     // there were too many
  uint64_t silent = 0;      // they asked for no session in time
  uint64_t handshakes = 0;  // of TLS, that have failed
  uint64_t unauthenticated = 0;
};

// Of the process.
struct OpenFiles {
  uint64_t open = 0;
  uint64_t max = 0;
};

struct Overview {
  Facts facts;
  Traffic traffic;  // since the start, or the last srst
  Rejections rejections;
  uint64_t connections_opened = 0;  // since the start
  model::Revision zxid;
  base::WallTime now;
  base::Duration uptime{0};
  int port = 0;
  int secure_port = -1;  // -1: there is none
  size_t connections_open = 0;
  std::vector<SessionRow> sessions;  // for who asks for them
  std::optional<Ensemble> ensemble;  // likewise
  const WatchTable* watches = nullptr;
  // Gathered for whoever tells of it only: there may be ten thousand connections, and counting
  // files takes long (admin/process.h).
  std::function<std::vector<ConnectionRow>()> connections = [] {  // in the order of their ids
    return std::vector<ConnectionRow>();
  };
  std::function<size_t()> outstanding = [] { return size_t{0}; };  // requests, of all connections
  std::function<OpenFiles()> open_files = [] { return OpenFiles(); };
  bool read_only = false;  // there is no majority: it serves who only reads

  bool serving() const { return facts.serving || read_only; }
};

// As clients are told: ZooKeeper's, and of what.
std::string VersionOf(const Overview& overview);
// "leader", "follower", "observer", "standalone" or "read-only".
const char* ModeOf(const Overview& overview);
// "leading - broadcast" and the like; "looking" for a leader.
const char* PeerStateOf(const Facts& facts);
// The member that leads; null: it is not known.
const model::Member* LeaderOf(const Overview& overview);
// This one, likewise.
const model::Member* SelfOf(const Overview& overview);
std::string Hex(uint64_t number);  // "0x2a"
int64_t Milliseconds(base::Duration duration);
// As Java prints it, with four decimals at most: 0.0, 1.5, 11.25.
std::string Decimal(double number);

// One line of `mntr`, one member of /commands/monitor: what exporters read.
struct Measure {
  const char* name;
  std::variant<uint64_t, double, std::string> value;
};
std::vector<Measure> MeasuresOf(const Overview& overview);

// ZooKeeper's settings, as far as they mean anything here.
struct Setting {
  const char* name;       // of `conf`
  const char* json_name;  // of /commands/configuration; null: it is not there
  std::variant<int64_t, std::string> value;
};
std::vector<Setting> SettingsOf(const Overview& overview);

// {name, value}, of `envi` and /commands/environment.
std::vector<std::pair<const char*, std::string>> EnvironmentOf(const Overview& overview);

// Who watches what, in the order of paths; a path once for each session.
struct WatchedPath {
  std::string path;
  std::vector<model::SessionId> sessions;
};
std::vector<WatchedPath> WatchesOf(const Overview& overview);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_OVERVIEW_H_
