// Config: what the operator asked for, checked. Flags, PANDO_… variables and a file say the same
// things under the same names; what wins is the flag, then the variable, then the file.
#ifndef PANDO_SERVER_CONFIG_H_
#define PANDO_SERVER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "model/acl.h"
#include "model/ids.h"
#include "server/quantity.h"
#include "tls/material.h"
#include "zookeeper/four_letter.h"

namespace pando::server {

// Ids are small numbers that people give and say aloud.
inline constexpr uint64_t kServerIdMax = 65'535;

// The addresses of a port: where it listens, and what others are told.
struct Port {
  Address listen;
  Address advertise;
};

struct InitialMember {
  model::ServerId id;
  Address peer;
  friend bool operator==(const InitialMember&, const InitialMember&) = default;
};

struct Config {
  enum class Action : uint8_t {
    kServe,
    kCheck,    // verify data_dir offline
    kRecover,  // rebuild data_dir's store from its newest snapshot
    kRestore,  // make data_dir from restore_file
  };
  Action action = Action::kServe;

  model::ServerId id;
  std::string data_dir;
  std::string restore_file;
  model::Revision restore_above;  // the last revision that the ensemble before it gave out
  Port client, peer, http, zookeeper;
  std::optional<Address> zookeeper_tls;  // none: there is no such port
  // What the HTTP port shows and trusts.
  tls::Files http_tls() const { return {client_tls.certificate, client_tls.key, http_client_ca}; }
  // By id, with this server; empty if it joins an ensemble.
  std::vector<InitialMember> initial_cluster;
  std::vector<Address> join;  // peer addresses of the ensemble to join
  // Of the client port and zookeeper_tls; no certificate: they are not encrypted.
  tls::Files client_tls;
  tls::Files peer_tls;         // all three, or none
  std::string http_client_ca;  // whoever asks over HTTP must show a certificate of it
  base::LogFormat log_format = base::LogFormat::kText;
  base::Severity log_level = base::Severity::kInfo;

  uint64_t connections_max = 0;  // of the client port, and as many of ZooKeeper's
  uint64_t value_bytes_max = 0;
  uint64_t wal_segment_bytes = 0;
  uint64_t changes_bytes = 0;
  base::Duration changes_age{0};
  base::Duration snapshot_interval{0};
  uint64_t snapshot_wal_bytes = 0;
  base::Duration store_interval{0};
  uint64_t disk_reserve_bytes = 0;
  base::Duration watch_no_leader{0};

  std::string super_digest;                      // USER:HASH; empty: nobody is super
  model::Acl administrators;                     // who has ADMIN in it may administer
  std::vector<zookeeper::Word> zookeeper_words;  // that the ZooKeeper port answers
  bool zookeeper_reconfig = false;               // its clients may change the membership
  bool zookeeper_keeper = false;                 // and ask what ClickHouse Keeper has besides
  uint64_t zookeeper_reply_bytes = 0;            // that they take: their jute.maxbuffer
  std::string audit_log;                         // a file; empty: none
};

// Instead of a Config: print this and stop.
struct Exit {
  int status = 0;    // 0: it was asked for (--help), to stdout; 2: usage, to stderr
  std::string text;  // with its newline
};

// Reads the command line, the environment and the file that --config names.
std::variant<Config, Exit> ParseConfig(int argc, const char* const* argv);

// One flag as --help, docs/configuration.md and their test see it.
struct FlagHelp {
  std::string name;           // "wal-segment-bytes"
  std::string variable;       // "PANDO_WAL_SEGMENT_BYTES"; empty: there is none
  std::string default_value;  // as it would be written; empty: there is none
};
std::vector<FlagHelp> ListFlags();

}  // namespace pando::server

#endif  // PANDO_SERVER_CONFIG_H_
