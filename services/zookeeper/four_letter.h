// Four-letter words: what an operator asks on the client port instead of greeting. The answers are
// ZooKeeper 3.9's, line by line, as its exporters and libraries parse them.
#ifndef PANDO_ZOOKEEPER_FOUR_LETTER_H_
#define PANDO_ZOOKEEPER_FOUR_LETTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "model/reply.h"
#include "zookeeper/watch_table.h"

namespace pando::zookeeper {

enum class Word : uint8_t {
  kConf,
  kCons,
  kDirs,
  kDump,
  kEnvi,
  kIsro,
  kMntr,
  kRuok,
  kSrst,
  kSrvr,
  kStat,
  kWchc,
  kWchp,
  kWchs,
};

// What a connection begins with, if it is one. No greeting does: it begins with a small length.
std::optional<Word> WordOf(std::string_view first_bytes);
inline constexpr size_t kWordBytes = 4;
// "srvr,isro", or "*" for all. None: there is no such word.
std::optional<std::vector<Word>> ParseWords(std::string_view list);

// Of the whole server, as its core has last told.
struct Facts {
  std::string version;  // Pando's
  bool serving = false;
  model::EnsembleStatus::Role role = model::EnsembleStatus::Role::kFollower;
  model::ServerId server;
  uint64_t members = 1;
  uint64_t members_reachable = 1;  // this one too
  uint64_t nodes = 0;
  uint64_t data_bytes = 0;
  uint64_t disk_bytes = 0;  // of the data dir
  uint64_t ephemerals = 0;
  uint64_t sessions = 0;  // of the ensemble
};

// Of the port, since the start or the last srst.
struct Traffic {
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t answered = 0;
  double latency_ms_min = 0;
  double latency_ms_max = 0;
  double latency_ms_sum = 0;
  double latency_ms_avg() const {
    return answered == 0 ? 0 : latency_ms_sum / static_cast<double>(answered);
  }
};

struct ConnectionRow {
  WatcherId id;
  std::string caller;  // its address and port
  model::SessionId session;
  int64_t timeout_ms = 0;
  size_t outstanding = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
};

struct Overview {
  Facts facts;
  Traffic traffic;
  model::Revision zxid;
  std::string listen_address;
  size_t connections_max = 0;
  std::vector<ConnectionRow> connections;
  const WatchTable* watches = nullptr;
  bool read_only = false;  // there is no majority: it serves who only reads
};

// The whole answer. `enabled`: those that are answered at all.
std::string AnswerWord(Word word, const std::vector<Word>& enabled, const Overview& overview);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_FOUR_LETTER_H_
