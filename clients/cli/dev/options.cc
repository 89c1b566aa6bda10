#include "cli/dev/options.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/files.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kPortsPerServer = 10;
constexpr int kPortMax = 65'535;
// As many as an ensemble has voters.
constexpr int kServersMax = 9;
constexpr size_t kRecordBytesMax = 4'096;

// What DIR/dev.json says.
struct DirRecord {
  int founders = 0;
  int base_port = 0;  // 0: not known
};

std::string RecordPath(const DevOptions& options) { return options.dir + "/dev.json"; }

absl::Status WriteRecord(const DevOptions& options, int founders) {
  const nlohmann::json json = {{"founders", founders}, {"base_port", options.base_port}};
  return WriteRegularFile(RecordPath(options), json.dump() + "\n");
}

absl::StatusOr<DirRecord> ReadRecord(const DevOptions& options) {
  const std::string path = RecordPath(options);
  std::error_code error;
  // A folder of one server from before there was such a file.
  if (!fs::exists(path, error)) return DirRecord{.founders = 1};
  const absl::StatusOr<std::string> text = ReadRegularFile(path, kRecordBytesMax);
  if (!text.ok()) return text.status();
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const auto number = [&](const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() && found->is_number_integer() ? found->get<int>() : 0;
  };
  const DirRecord record{number("founders"), number("base_port")};
  if (record.founders >= 1 && record.base_port >= 1) return record;
  return absl::InvalidArgumentError(absl::StrCat(path, " is damaged: use another --dir"));
}

// The highest id that has data; 0: none has.
int LastServerIn(const DevOptions& options) {
  std::error_code error;
  int last = 0;
  for (int id = 1; id <= kServersMax; ++id) {
    if (fs::exists(DevDataDir(options, id), error)) last = id;
  }
  return last;
}

}  // namespace

DevPorts DevPortsOf(const DevOptions& options, int id) {
  CHECK(id >= 1);
  const int client = options.base_port + kPortsPerServer * (id - 1);
  return {client, client + 1, client + 2, client + 3, client + 4};
}

std::string DevAddress(int port) { return absl::StrCat("127.0.0.1:", port); }

std::vector<std::string> DevEndpoints(const DevOptions& options) {
  std::vector<std::string> endpoints;
  for (int id = 1; id <= options.servers; ++id) {
    endpoints.push_back(DevAddress(DevPortsOf(options, id).client));
  }
  return endpoints;
}

std::string DevCertsDir(const DevOptions& options) { return options.dir + "/certs"; }

TlsOptions DevClientTls(const DevOptions& options) {
  if (!options.tls) return {};
  const std::string dir = DevCertsDir(options);
  return {.files = {dir + "/client.crt", dir + "/client.key", dir + "/ca.crt"}};
}

std::string DevDataDir(const DevOptions& options, int id) {
  return absl::StrCat(options.dir, "/server-", id);
}

std::string DevLogPath(const DevOptions& options, int id) {
  return DevDataDir(options, id) + ".log";
}

std::vector<std::string> DevArguments(const DevOptions& options, int founders, int id) {
  CHECK(founders >= 1);
  const DevPorts ports = DevPortsOf(options, id);
  std::vector<std::string> arguments = {"--id",
                                        absl::StrCat(id),
                                        "--data-dir",
                                        DevDataDir(options, id),
                                        "--listen-client",
                                        DevAddress(ports.client),
                                        "--listen-http",
                                        DevAddress(ports.http),
                                        "--listen-zookeeper",
                                        DevAddress(ports.zookeeper),
                                        "--listen-peer"};
  if (options.servers == 1) {
    arguments.push_back(DevAddress(ports.peer));
  } else {
    arguments.push_back(DevAddress(ports.own_peer));
    arguments.insert(arguments.end(), {"--advertise-peer", DevAddress(ports.peer)});
  }
  if (options.tls) {
    const std::string dir = DevCertsDir(options);
    for (const char* port : {"--tls", "--peer-tls"}) {
      arguments.insert(arguments.end(), {absl::StrCat(port, "-cert"), dir + "/server.crt",
                                         absl::StrCat(port, "-key"), dir + "/server.key"});
    }
    arguments.insert(arguments.end(),
                     {"--tls-client-ca", dir + "/ca.crt", "--peer-tls-ca", dir + "/ca.crt"});
  }
  std::vector<std::string> members;
  const bool founds = id <= founders;
  for (int member = 1; member <= founders; ++member) {
    const std::string address = DevAddress(DevPortsOf(options, member).peer);
    members.push_back(founds ? absl::StrCat(member, "=", address) : address);
  }
  arguments.push_back(founds ? "--initial-cluster" : "--join");
  arguments.push_back(absl::StrJoin(members, ","));
  return arguments;
}

absl::Status CheckDevOptions(const DevOptions& options) {
  if (options.servers < 1 || options.servers > kServersMax) {
    return absl::InvalidArgumentError(absl::StrCat("--servers must be from 1 to ", kServersMax));
  }
  if (options.dir.empty()) return absl::InvalidArgumentError("--dir must name a folder");
  // Compared before anything is added to it, which could overflow.
  const int base_port_max =
      kPortMax - DevPortsOf({options.servers, "", 0}, options.servers).own_peer;
  if (options.base_port < 1 || options.base_port > base_port_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--base-port must be from 1 to ", base_port_max));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> PrepareDevDir(const DevOptions& options) {
  std::error_code error;
  fs::create_directories(options.dir, error);
  if (error) return LocalError("cannot make the folder", options.dir, error.value());

  const int last = LastServerIn(options);
  if (last == 0) {
    PANDO_RETURN_IF_ERROR(WriteRecord(options, options.servers));
    return options.servers;
  }
  if (last > options.servers) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.dir, " holds ", last, " servers, which need one another: use --servers ", last,
        ", or another --dir"));
  }
  const absl::StatusOr<DirRecord> record = ReadRecord(options);
  if (!record.ok()) return record.status();
  // A server alone may move: nobody else knows where it was.
  if (last > 1 && record->base_port != options.base_port) {
    return absl::InvalidArgumentError(
        absl::StrCat("the servers in ", options.dir, " know one another by other ports: use ",
                     "--base-port ", record->base_port, ", or another --dir"));
  }
  PANDO_RETURN_IF_ERROR(WriteRecord(options, record->founders));
  return record->founders;
}

}  // namespace pando::cli
