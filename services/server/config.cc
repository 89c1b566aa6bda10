#include "server/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "acl/scheme.h"
#include "base/status.h"
#include "model/limits.h"
#include "server/administrators.h"
#include "server/version.h"

namespace pando::server {
namespace {

// What was written, before what depends on other flags is filled in.
struct Written {
  Config config;
  std::optional<Address> advertise_client, advertise_peer, advertise_http, advertise_zookeeper;
};

struct Flag {
  const char* name;
  const char* type;           // of its value, as --help shows it
  const char* default_value;  // nullptr: none
  absl::Status (*set)(std::string_view text, Written* written);
  const char* help;
  bool has_variable = true;  // may also come from the environment or the file
};

// --- Values -----------------------------------------------------------------------------------

constexpr uint64_t kKiB = model::kKiB;
constexpr uint64_t kMiB = model::kMiB;
constexpr uint64_t kTiB = kMiB * kMiB;
constexpr base::Duration kYear = std::chrono::hours(24 * 365);

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", base::View(text), "': ", base::View(why)));
}

template <class Value>
absl::Status Set(absl::StatusOr<Value> parsed, Value* to) {
  if (parsed.ok()) *to = *std::move(parsed);
  return parsed.status();
}

absl::Status SetBytes(std::string_view text, uint64_t low, uint64_t high, uint64_t* to) {
  const absl::StatusOr<uint64_t> bytes = ParseBytes(text);
  if (!bytes.ok()) return bytes.status();
  if (*bytes < low || *bytes > high) {
    return Wrong(text, absl::StrCat("must be ", FormatBytes(low), " to ", FormatBytes(high)));
  }
  *to = *bytes;
  return absl::OkStatus();
}

absl::Status SetDuration(std::string_view text, base::Duration low, base::Duration high,
                         base::Duration* to) {
  const absl::StatusOr<base::Duration> duration = ParseDuration(text);
  if (!duration.ok()) return duration.status();
  if (*duration < low || *duration > high) {
    return Wrong(text, absl::StrCat("must be ", FormatDuration(low), " to ", FormatDuration(high)));
  }
  *to = *duration;
  return absl::OkStatus();
}

absl::Status SetCount(std::string_view text, uint64_t low, uint64_t high, uint64_t* to) {
  const absl::StatusOr<uint64_t> count = ParseCount(text);
  if (!count.ok()) return count.status();
  if (*count < low || *count > high) {
    return Wrong(text, absl::StrCat("must be ", low, " to ", high));
  }
  *to = *count;
  return absl::OkStatus();
}

absl::Status SetFile(std::string_view text, std::string* to) {
  const bool is_path = std::none_of(text.begin(), text.end(), [](char c) {
    return std::iscntrl(static_cast<unsigned char>(c)) != 0;
  });
  if (!is_path) return Wrong(text, "is no path of a file");
  *to = text;
  return absl::OkStatus();
}

absl::Status SetId(std::string_view text, model::ServerId* to) {
  const absl::StatusOr<uint64_t> id = ParseCount(text);
  if (!id.ok()) return id.status();
  if (*id == 0 || *id > kServerIdMax) return Wrong(text, "must be 1 to 65535");
  *to = model::ServerId(*id);
  return absl::OkStatus();
}

template <class To>  // Address or std::optional<Address>
absl::Status SetAddress(std::string_view text, To* to) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  *to = *std::move(address);
  return absl::OkStatus();
}

template <class To>
absl::Status SetAdvertise(std::string_view text, To* to) {
  PANDO_RETURN_IF_ERROR(SetAddress(text, to));
  if ((*to)->is_wildcard())
    return Wrong(text, "others cannot reach this: name a host of this machine");
  return absl::OkStatus();
}

// 1=HOST:PORT,2=HOST:PORT,…
absl::Status SetInitialCluster(std::string_view text, std::vector<InitialMember>* to) {
  to->clear();
  for (const absl::string_view part : absl::StrSplit(base::View(text), ',')) {
    const size_t equals = part.find('=');
    if (equals == absl::string_view::npos)
      return Wrong(text, "expected ID=HOST:PORT,ID=HOST:PORT,…");
    InitialMember member;
    PANDO_RETURN_IF_ERROR(SetId({part.data(), equals}, &member.id));
    const absl::string_view address = part.substr(equals + 1);
    PANDO_RETURN_IF_ERROR(SetAddress({address.data(), address.size()}, &member.peer));
    if (member.peer.is_wildcard()) return Wrong(text, "nobody can be reached at a wildcard");
    for (const InitialMember& other : *to) {
      if (other.id == member.id) return Wrong(text, "names an id twice");
      if (other.peer == member.peer) return Wrong(text, "names an address twice");
    }
    to->push_back(std::move(member));
  }
  if (to->size() > model::kVotersMax) {
    return Wrong(text, absl::StrCat("an ensemble has at most ", model::kVotersMax, " voters"));
  }
  std::sort(to->begin(), to->end(),
            [](const InitialMember& a, const InitialMember& b) { return a.id < b.id; });
  return absl::OkStatus();
}

// HOST:PORT,HOST:PORT,…
absl::Status SetJoin(std::string_view text, std::vector<Address>* to) {
  to->clear();
  for (const absl::string_view part : absl::StrSplit(base::View(text), ',')) {
    Address address;
    PANDO_RETURN_IF_ERROR(SetAddress({part.data(), part.size()}, &address));
    if (address.is_wildcard()) return Wrong(text, "nobody can be reached at a wildcard");
    if (std::find(to->begin(), to->end(), address) != to->end()) {
      return Wrong(text, "names an address twice");
    }
    to->push_back(std::move(address));
  }
  return absl::OkStatus();
}

absl::Status SetWords(std::string_view text, std::vector<zookeeper::Word>* to) {
  const std::optional<std::vector<zookeeper::Word>> words = zookeeper::ParseWords(text);
  if (!words) return Wrong(text, "expected four-letter words, such as srvr,mntr, or *");
  *to = *words;
  return absl::OkStatus();
}

absl::Status SetFormat(std::string_view text, base::LogFormat* to) {
  if (text != "text" && text != "json") return Wrong(text, "must be text or json");
  *to = text == "json" ? base::LogFormat::kJson : base::LogFormat::kText;
  return absl::OkStatus();
}

absl::Status SetSeverity(std::string_view text, base::Severity* to) {
  constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  const auto* name = std::find(std::begin(kNames), std::end(kNames), text);
  if (name == std::end(kNames)) return Wrong(text, "must be debug, info, warning or error");
  *to = static_cast<base::Severity>(name - std::begin(kNames));
  return absl::OkStatus();
}

absl::Status SetRestore(std::string_view file, Config* to) {
  if (file.empty()) return Wrong(file, "name a backup");
  if (to->action != Config::Action::kServe)
    return Wrong(file, "goes with neither --check nor --recover");
  to->action = Config::Action::kRestore;
  to->restore_file = file;
  return absl::OkStatus();
}

absl::Status SetRevision(std::string_view text, model::Revision* to) {
  uint64_t revision = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), revision);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || revision > model::kRestoreRevisionMax) return Wrong(text, "must be a revision");
  *to = model::Revision(revision);
  return absl::OkStatus();
}

absl::Status SetOffline(std::string_view dir, Config::Action action, Config* to) {
  if (dir.empty()) return Wrong(dir, "name a data dir");
  if (to->action != Config::Action::kServe) return Wrong(dir, "--check or --recover, not both");
  to->action = action;
  to->data_dir = dir;
  return absl::OkStatus();
}

absl::Status SetEnabled(std::string_view text, Config* to) {
  for (const absl::string_view name : absl::StrSplit(base::View(text), ',', absl::SkipEmpty())) {
    if (name == "reconfig") {
      to->zookeeper_reconfig = true;
    } else if (name == "keeper") {
      to->zookeeper_keeper = true;
    } else {
      return Wrong(text, "may name reconfig and keeper");
    }
  }
  return absl::OkStatus();
}

// --- The flags --------------------------------------------------------------------------------

using Text = std::string_view;
using W = Written;

const Flag kFlags[] = {
    {"id", "ID", nullptr, [](Text t, W* w) { return SetId(t, &w->config.id); },
     "Number of this server, unique in its ensemble, 1 to 65535; never given to another data dir"},
    {"data-dir", "DIR", nullptr,
     [](Text t, W* w) {
       w->config.data_dir = t;
       return absl::OkStatus();
     },
     "Where this server keeps its data; made if it is not there"},

    {"listen-client", "HOST:PORT", "127.0.0.1:7400",
     [](Text t, W* w) { return SetAddress(t, &w->config.client.listen); }, "Clients: gRPC"},
    {"listen-peer", "HOST:PORT", "127.0.0.1:7401",
     [](Text t, W* w) { return SetAddress(t, &w->config.peer.listen); },
     "The other servers of the ensemble: gRPC"},
    {"listen-http", "HOST:PORT", "127.0.0.1:7402",
     [](Text t, W* w) { return SetAddress(t, &w->config.http.listen); },
     "Health and metrics: HTTP"},
    {"listen-zookeeper", "HOST:PORT", "127.0.0.1:7403",
     [](Text t, W* w) { return SetAddress(t, &w->config.zookeeper.listen); }, "ZooKeeper clients"},
    {"listen-zookeeper-tls", "HOST:PORT", nullptr,
     [](Text t, W* w) { return SetAddress(t, &w->config.zookeeper_tls); },
     "The same under TLS, with --tls-cert and --tls-client-ca; default: not at all"},
    {"zookeeper-reply-bytes", "SIZE", "1048575",
     [](Text t, W* w) {
       return SetBytes(t, 64 * kKiB, 1024 * kMiB, &w->config.zookeeper_reply_bytes);
     },
     "Largest reply that ZooKeeper's clients take, their jute.maxbuffer: to what reads more they "
     "get an error"},
    {"zookeeper-words", "WORD,…", "srvr,isro",
     [](Text t, W* w) { return SetWords(t, &w->config.zookeeper_words); },
     "Four-letter words that the ZooKeeper port answers, and commands of /commands; * for all"},
    {"zookeeper-enable", "NAME,…", nullptr, [](Text t, W* w) { return SetEnabled(t, &w->config); },
     "What ZooKeeper's clients may do besides: reconfig, change the membership; keeper, ask what "
     "ClickHouse Keeper has"},
    {"advertise-client", "HOST:PORT", nullptr,
     [](Text t, W* w) { return SetAdvertise(t, &w->advertise_client); },
     "The same port as others reach it; default: --listen-client"},
    {"advertise-peer", "HOST:PORT", nullptr,
     [](Text t, W* w) { return SetAdvertise(t, &w->advertise_peer); },
     "Default: this id's address in --initial-cluster, else --listen-peer"},
    {"advertise-http", "HOST:PORT", nullptr,
     [](Text t, W* w) { return SetAdvertise(t, &w->advertise_http); }, "Default: --listen-http"},
    {"advertise-zookeeper", "HOST:PORT", nullptr,
     [](Text t, W* w) { return SetAdvertise(t, &w->advertise_zookeeper); },
     "Default: --listen-zookeeper"},
    {"initial-cluster", "ID=HOST:PORT,…", nullptr,
     [](Text t, W* w) { return SetInitialCluster(t, &w->config.initial_cluster); },
     "Peer addresses of the servers that form a new ensemble; default: this server alone. Read at "
     "the very first start only"},
    {"join", "HOST:PORT,…", nullptr, [](Text t, W* w) { return SetJoin(t, &w->config.join); },
     "Peer addresses of an ensemble to join as a learner; not with --initial-cluster. Read until "
     "it is a member"},

    {"tls-cert", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.client_tls.certificate); },
     "PEM certificate of this server for clients: the client and the HTTP port speak TLS. Read "
     "again when it changes"},
    {"tls-key", "FILE", nullptr, [](Text t, W* w) { return SetFile(t, &w->config.client_tls.key); },
     "PEM private key of --tls-cert"},
    {"tls-client-ca", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.client_tls.ca); },
     "PEM certificates of CAs: clients must show a certificate of one of them"},
    {"http-tls-client-ca", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.http_client_ca); },
     "The same for the HTTP port; without it whoever reaches that port may ask"},
    {"peer-tls-cert", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.peer_tls.certificate); },
     "PEM certificate of this server for the others, with the host of --advertise-peer as a name. "
     "Servers speak TLS with each other, and only with members"},
    {"peer-tls-key", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.peer_tls.key); },
     "PEM private key of --peer-tls-cert"},
    {"peer-tls-ca", "FILE", nullptr,
     [](Text t, W* w) { return SetFile(t, &w->config.peer_tls.ca); },
     "PEM certificates of CAs of the servers' certificates"},

    {"max-connections", "N", "10000",
     [](Text t, W* w) { return SetCount(t, 1, 1'000'000, &w->config.connections_max); },
     "Most connections of clients at the same time"},
    {"max-value-bytes", "SIZE", "1MiB",
     [](Text t, W* w) {
       return SetBytes(t, 1, model::kValueBytesHardMax, &w->config.value_bytes_max);
     },
     "Largest data of one node, at most 2MiB"},
    {"wal-segment-bytes", "SIZE", "64MiB",
     [](Text t, W* w) { return SetBytes(t, 64 * kKiB, kTiB, &w->config.wal_segment_bytes); },
     "Size of one file of the write-ahead log"},
    {"changes-bytes", "SIZE", "256MiB",
     [](Text t, W* w) { return SetBytes(t, 64 * kKiB, kTiB, &w->config.changes_bytes); },
     "How many bytes of changes are kept for watches that resume"},
    {"changes-age", "DURATION", "1h",
     [](Text t, W* w) {
       return SetDuration(t, std::chrono::seconds(1), kYear, &w->config.changes_age);
     },
     "How long changes are kept for watches that resume"},
    {"snapshot-interval", "DURATION", "1h",
     [](Text t, W* w) {
       return SetDuration(t, std::chrono::seconds(1), kYear, &w->config.snapshot_interval);
     },
     "Time between snapshots of the whole tree, if anything changed"},
    {"snapshot-wal-bytes", "SIZE", "1GiB",
     [](Text t, W* w) { return SetBytes(t, 64 * kKiB, kTiB, &w->config.snapshot_wal_bytes); },
     "A snapshot is also taken after this much of log"},
    {"store-interval", "DURATION", "500ms",
     [](Text t, W* w) {
       return SetDuration(t, std::chrono::milliseconds(1), std::chrono::minutes(1),
                          &w->config.store_interval);
     },
     "Time between writes to the tree on disk; a restart repeats what came after the last"},
    {"disk-reserve", "SIZE", "256MiB",
     [](Text t, W* w) { return SetBytes(t, 0, kTiB, &w->config.disk_reserve_bytes); },
     "With less than this free, writes are refused with NO_SPACE"},
    {"watch-no-leader", "DURATION", "5s",
     [](Text t, W* w) {
       return SetDuration(t, std::chrono::milliseconds(100), std::chrono::hours(1),
                          &w->config.watch_no_leader);
     },
     "A watch on a server that has had no leader for so long is ended with NO_LEADER"},

    {"super-digest", "USER:HASH", nullptr,
     [](Text t, W* w) { return Set(ParseSuperDigest(t), &w->config.super_digest); },
     "Whoever shows this digest may do everything; 'pando acl digest USER' makes it"},
    {"admin-identity", "SCHEME:ID;…", nullptr,
     [](Text t, W* w) { return Set(ParseAdministrators(t), &w->config.administrators); },
     "Who may administer the ensemble, besides super; default: everybody if there is no "
     "--super-digest, else nobody"},
    {"audit-log", "FILE", nullptr,
     [](Text t, W* w) { return Set(absl::StatusOr<std::string>(t), &w->config.audit_log); },
     "A JSON line for each call that was denied or an administrator's; - is stderr; default: none"},

    {"log-format", "FORMAT", "text",
     [](Text t, W* w) { return SetFormat(t, &w->config.log_format); },
     "text or json, one line an event, to stderr"},
    {"log-level", "LEVEL", "info",
     [](Text t, W* w) { return SetSeverity(t, &w->config.log_level); },
     "Least severity that is logged: debug, info, warning or error"},

    {"check", "DIR", nullptr,
     [](Text t, W* w) { return SetOffline(t, Config::Action::kCheck, &w->config); },
     "Verify a data dir that no server is using, name what is damaged, and stop", false},
    {"recover", "DIR", nullptr,
     [](Text t, W* w) { return SetOffline(t, Config::Action::kRecover, &w->config); },
     "Rebuild the tree of a damaged data dir from its newest snapshot, and stop", false},
    {"restore", "FILE", nullptr, [](Text t, W* w) { return SetRestore(t, &w->config); },
     "Make --data-dir from a backup, for server --id of a new ensemble, and stop", false},
    {"restore-above", "REVISION", nullptr,
     [](Text t, W* w) { return SetRevision(t, &w->config.restore_above); },
     "The last revision of the ensemble that the restored one replaces, if it was itself restored "
     "from this backup",
     false},
};

std::string VariableName(std::string_view flag) {
  std::string name = "PANDO_";
  for (const char c : flag) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

// --- From flags to a Config -------------------------------------------------------------------

// A server that listens everywhere is told to others by its host's name.
Address AdvertisedInsteadOf(const Address& listen) {
  if (!listen.is_wildcard()) return listen;
  char host[256] = "localhost";
  if (gethostname(host, sizeof host - 1) != 0 || host[0] == 0) return {"localhost", listen.port};
  return {host, listen.port};
}

absl::Status CompletePorts(Written* written) {
  Config& config = written->config;
  const struct {
    Port* port;
    std::optional<Address>* advertise;
    const char* name;
  } ports[] = {{&config.client, &written->advertise_client, "client"},
               {&config.peer, &written->advertise_peer, "peer"},
               {&config.http, &written->advertise_http, "http"},
               {&config.zookeeper, &written->advertise_zookeeper, "zookeeper"}};
  struct Place {
    Address listen;
    const char* name;
  };
  std::vector<Place> places;
  for (const auto& p : ports) {
    p.port->advertise = p.advertise->value_or(AdvertisedInsteadOf(p.port->listen));
    places.push_back({p.port->listen, p.name});
  }
  if (config.zookeeper_tls) places.push_back({*config.zookeeper_tls, "zookeeper-tls"});
  for (auto place = places.begin(); place != places.end(); ++place) {
    for (auto other = place + 1; other != places.end(); ++other) {
      if (other->listen != place->listen) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--listen-", place->name, " and --listen-", other->name, " are both ",
                       place->listen.ToString(), ": give each a port of its own"));
    }
  }
  return absl::OkStatus();
}

absl::Status CompleteCluster(Written* written) {
  Config& config = written->config;
  std::vector<InitialMember>& members = config.initial_cluster;
  if (!config.join.empty()) {
    if (!members.empty()) {
      return absl::InvalidArgumentError(
          "--join and --initial-cluster: a server joins an ensemble or forms one, not both");
    }
    if (std::find(config.join.begin(), config.join.end(), config.peer.advertise) !=
        config.join.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--join names ", config.peer.advertise.ToString(),
                       ", this server itself: name its future peers"));
    }
    return absl::OkStatus();
  }
  if (members.empty()) members = {{config.id, config.peer.advertise}};
  const auto self = std::find_if(members.begin(), members.end(),
                                 [&](const InitialMember& m) { return m.id == config.id; });
  if (self == members.end()) {
    return absl::InvalidArgumentError(absl::StrCat("--initial-cluster does not name --id ",
                                                   config.id.value(), ": add ", config.id.value(),
                                                   "=", config.peer.advertise.ToString()));
  }
  if (!written->advertise_peer) config.peer.advertise = self->peer;
  if (self->peer != config.peer.advertise) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--initial-cluster says ", config.id.value(), "=", self->peer.ToString(),
        " but --advertise-peer says ", config.peer.advertise.ToString(), ": make them the same"));
  }
  return absl::OkStatus();
}

absl::Status CheckTls(const Config& config) {
  const tls::Files& client = config.client_tls;
  if (client.certificate.empty() != client.key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key: give both, or none");
  }
  for (const auto& [ca, flag] : {std::pair(&client.ca, "--tls-client-ca"),
                                 std::pair(&config.http_client_ca, "--http-tls-client-ca")}) {
    if (ca->empty() || !client.certificate.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " needs --tls-cert and --tls-key: without TLS nobody shows anything"));
  }
  if (config.zookeeper_tls && client.certificate.empty()) {
    return absl::InvalidArgumentError("--listen-zookeeper-tls needs --tls-cert and --tls-key");
  }
  const tls::Files& peer = config.peer_tls;
  const bool all = !peer.certificate.empty() && !peer.key.empty() && !peer.ca.empty();
  if (all || peer == tls::Files()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--peer-tls-cert, --peer-tls-key and --peer-tls-ca: give all three, or none");
}

absl::Status Complete(Written* written) {
  const Config& config = written->config;
  const bool offline =
      config.action == Config::Action::kCheck || config.action == Config::Action::kRecover;
  if (offline) return absl::OkStatus();
  if (!config.id) {
    return absl::InvalidArgumentError("--id is missing: give this server a number, like --id 1");
  }
  if (config.data_dir.empty()) {
    return absl::InvalidArgumentError(
        "--data-dir is missing: say where the data lives, like --data-dir /var/lib/pando");
  }
  if (config.action == Config::Action::kRestore) return absl::OkStatus();
  if (config.super_digest.empty() && config.administrators.empty()) {
    written->config.administrators = {{model::kAdmin, acl::kAnyone}};
  }
  PANDO_RETURN_IF_ERROR(CheckTls(config));
  PANDO_RETURN_IF_ERROR(CompletePorts(written));
  return CompleteCluster(written);
}

// --- CLI11 ------------------------------------------------------------------------------------

constexpr char kFooter[] =
    "Every flag but --check, --recover, --restore… and --version may also be given as a variable "
    "(PANDO_DATA_DIR) or\nin a file (--config FILE, lines like data-dir = \"/var/lib/pando\"). A "
    "flag wins over its variable,\nand a variable over the file.\n"
    "SIZE is a number with B, KiB, MiB, GiB or TiB; DURATION one with ms, s, m, h or d.";

Exit Usage(std::string_view message) {
  return {2, absl::StrCat("pandod: ", base::View(message), "; 'pandod --help' lists the flags\n")};
}

// The values of the variables that are set, as the flags that they stand for.
std::vector<std::string> FlagsOfEnvironment() {
  std::vector<std::string> flags;
  const auto add = [&](std::string_view name) {
    const char* value = std::getenv(VariableName(name).c_str());
    if (value && *value) flags.push_back(absl::StrCat("--", base::View(name), "=", value));
  };
  for (const Flag& flag : kFlags) {
    if (flag.has_variable) add(flag.name);
  }
  add("config");
  return flags;
}

// Runs the setters: of each flag in turn, so that the first error is always the same one.
std::variant<Config, Exit> Build(const std::array<std::string, std::size(kFlags)>& values) {
  Written written;
  for (size_t i = 0; i < std::size(kFlags); ++i) {
    const Flag& flag = kFlags[i];
    const bool is_set = !values[i].empty();
    if (!is_set && !flag.default_value) continue;
    const absl::Status status = flag.set(is_set ? values[i] : flag.default_value, &written);
    if (!status.ok()) {
      const absl::string_view message = status.message();
      return Usage(absl::StrCat("--", flag.name, " ", message));
    }
  }
  const absl::Status status = Complete(&written);
  if (!status.ok()) return Usage(std::string(status.message()));
  return std::move(written.config);
}

}  // namespace

std::variant<Config, Exit> ParseConfig(int argc, const char* const* argv) {
  CLI::App app("pandod: one server of a Pando ensemble", "pandod");
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat("pandod ", kVersion));
  app.set_config("--config", "", "FILE with flags, one NAME = VALUE a line")->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->take_last();

  std::array<std::string, std::size(kFlags)> values;
  for (size_t i = 0; i < std::size(kFlags); ++i) {
    const Flag& flag = kFlags[i];
    CLI::Option* option = app.add_option(absl::StrCat("--", flag.name), values[i], flag.help);
    option->type_name(flag.type)->configurable(flag.has_variable);
    if (flag.default_value) option->default_str(flag.default_value);
  }

  // CLI11 lets the file win over the environment. As flags before the flags, variables are between
  // the two. It takes the words in reverse.
  std::vector<std::string> words = FlagsOfEnvironment();
  words.insert(words.end(), argv + 1, argv + argc);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    return Exit{0, app.help()};
  } catch (const CLI::CallForVersion& version) {
    return Exit{0, absl::StrCat(version.what(), "\n")};
  } catch (const CLI::ConfigError& error) {
    return Usage(absl::StrCat("--config: ", error.what()));
  } catch (const CLI::ParseError& error) {
    return Usage(error.what());
  }
  return Build(values);
}

std::vector<FlagHelp> ListFlags() {
  std::vector<FlagHelp> flags;
  for (const Flag& flag : kFlags) {
    flags.push_back({flag.name, flag.has_variable ? VariableName(flag.name) : "",
                     flag.default_value ? flag.default_value : ""});
  }
  return flags;
}

}  // namespace pando::server
