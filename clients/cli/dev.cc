#include "cli/dev.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/child.h"
#include "cli/connection.h"
#include "cli/files.h"
#include "cli/health.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kPortsPerServer = 10;
constexpr int kPortMax = 65'535;
// How often a server that starts is asked whether it serves, and how long it has for its answer.
constexpr milliseconds kAskEvery{100};
constexpr milliseconds kAnswerMax{300};
// A server that starts on much data takes its time; nobody is left to wonder.
constexpr milliseconds kTellEvery{10'000};
constexpr milliseconds kStopMax{10'000};
constexpr milliseconds kForever{3'600'000};

std::string Address(int port) { return absl::StrCat("127.0.0.1:", port); }

fs::path OwnBinary() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// How this program is called from here: by its name if PATH leads to it, else by its path.
std::string OwnName() {
  const fs::path binary = OwnBinary();
  const char* const path = std::getenv("PATH");
  std::error_code error;
  for (const auto folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    const fs::path candidate = fs::path(std::string(folder)) / "pando";
    if (!fs::exists(candidate, error)) continue;
    if (fs::equivalent(candidate, binary, error)) return "pando";
    break;  // another one comes first
  }
  const std::string here = fs::proximate(binary, error).string();
  return here.empty() || here.substr(0, 2) == ".." ? binary.string() : here;
}

// What listens where, and what to do with it.
std::string Welcome(const DevOptions& options) {
  Table table({{"SERVER", true}, {"CLIENTS"}, {"PEERS"}, {"HTTP"}, {"ZOOKEEPER"}, {"DATA"}});
  std::vector<std::string> endpoints;
  for (int id = 1; id <= options.servers; ++id) {
    const DevPorts ports = DevPortsOf(options, id);
    endpoints.push_back(Address(ports.client));
    table.Add({absl::StrCat(id), Address(ports.client), Address(ports.peer), Address(ports.http),
               Address(ports.zookeeper), DevDataDir(options, id)});
  }
  const bool is_default = options.servers == 1 && options.base_port == DevOptions().base_port;
  const std::string name =
      OwnName() + (is_default ? "" : " --endpoints " + absl::StrJoin(endpoints, ","));
  return absl::StrCat(table.Render(Format::kTable), "\nIn another terminal:\n  ", name,
                      " create /hello world\n  ", name, " get /hello\n  ", name,
                      " watch -r /\n\nCtrl-C stops ", options.servers == 1 ? "it" : "them", ".\n");
}

class Servers {
 public:
  explicit Servers(const DevOptions& options) : options_(options) {}

  absl::Status Start() {
    const std::string binary = (OwnBinary().parent_path() / "pandod").string();
    for (int id = 1; id <= options_.servers; ++id) {
      absl::StatusOr<Child> child = Child::Start(binary, DevArguments(options_, id));
      if (!child.ok()) return base::Annotate(child.status(), "pandod must lie beside pando");
      children_.push_back(*child);
    }
    return absl::OkStatus();
  }

  // OK when all of them serve, or when it was stopped first.
  absl::Status WaitForServing(Signals* signals) {
    for (int id = 1; id <= options_.servers; ++id) {
      Clock::time_point told = Clock::now();
      while (!signals->Stopped() && !Serves(id)) {
        PANDO_RETURN_IF_ERROR(AllRun());
        if (Clock::now() - told >= kTellEvery) {
          told = Clock::now();
          Note(absl::StrCat("server ", id, " does not serve yet; still waiting"));
        }
        signals->Wait(kAskEvery);
      }
    }
    return AllRun();
  }

  // OK when it was stopped.
  absl::Status WaitForStop(Signals* signals) {
    while (!signals->Stopped()) {
      PANDO_RETURN_IF_ERROR(AllRun());
      signals->Wait(kForever);
    }
    return absl::OkStatus();
  }

  absl::Status Stop(Signals* signals) {
    for (Child& child : children_) child.Send(SIGTERM);
    const Clock::time_point deadline = Clock::now() + kStopMax;
    while (!AllEnded() && Clock::now() < deadline) signals->Wait(kAskEvery);
    absl::Status outcome;
    for (size_t i = 0; i < children_.size(); ++i) {
      const std::optional<int> end = children_[i].End();
      if (end && *end == 0) continue;
      outcome.Update(
          absl::InternalError(end ? absl::StrCat("server ", i + 1, " ended with ", EndText(*end))
                                  : absl::StrCat("server ", i + 1, " did not stop in ",
                                                 kStopMax.count() / 1000, " s and was killed")));
      children_[i].Send(SIGKILL);
    }
    return outcome;
  }

 private:
  bool Serves(int id) const {
    Connection connection(
        {.endpoints = {Address(DevPortsOf(options_, id).client)}, .timeout = kAnswerMax});
    return CheckHealth(&connection).ok();
  }

  absl::Status AllRun() {
    for (size_t i = 0; i < children_.size(); ++i) {
      const std::optional<int> end = children_[i].End();
      if (!end) continue;
      return absl::InternalError(absl::StrCat("server ", i + 1, " ended by itself, with ",
                                              EndText(*end), ": its own words above say why"));
    }
    return absl::OkStatus();
  }

  bool AllEnded() {
    bool all = true;
    for (Child& child : children_) all = child.End().has_value() && all;
    return all;
  }

  const DevOptions& options_;
  std::vector<Child> children_;
};

absl::Status RunServers(const DevOptions& options, Servers* servers, Signals* signals) {
  PANDO_RETURN_IF_ERROR(servers->Start());
  PANDO_RETURN_IF_ERROR(servers->WaitForServing(signals));
  if (signals->Stopped()) return absl::OkStatus();
  Print(Welcome(options));
  // Somebody who closed our output may still want the servers.
  FlushOutput();
  return servers->WaitForStop(signals);
}

}  // namespace

DevPorts DevPortsOf(const DevOptions& options, int id) {
  CHECK(id >= 1);
  const int client = options.base_port + kPortsPerServer * (id - 1);
  return {client, client + 1, client + 2, client + 3};
}

std::string DevDataDir(const DevOptions& options, int id) {
  return absl::StrCat(options.dir, "/server-", id);
}

std::vector<std::string> DevArguments(const DevOptions& options, int id) {
  const DevPorts ports = DevPortsOf(options, id);
  std::vector<std::string> members;
  for (int member = 1; member <= options.servers; ++member) {
    members.push_back(absl::StrCat(member, "=", Address(DevPortsOf(options, member).peer)));
  }
  return {"--id",
          absl::StrCat(id),
          "--data-dir",
          DevDataDir(options, id),
          "--listen-client",
          Address(ports.client),
          "--listen-peer",
          Address(ports.peer),
          "--listen-http",
          Address(ports.http),
          "--listen-zookeeper",
          Address(ports.zookeeper),
          "--initial-cluster",
          absl::StrJoin(members, ",")};
}

absl::Status CheckDevOptions(const DevOptions& options) {
  if (options.servers < 1) return absl::InvalidArgumentError("--servers must be at least 1");
  if (options.servers > 1) {
    return absl::InvalidArgumentError(
        "an ensemble of several servers is not there yet: leave --servers away");
  }
  if (options.dir.empty()) return absl::InvalidArgumentError("--dir must name a folder");
  // Compared before anything is added to it, which could overflow.
  const int base_port_max =
      kPortMax - DevPortsOf({options.servers, "", 0}, options.servers).zookeeper;
  if (options.base_port < 1 || options.base_port > base_port_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--base-port must be from 1 to ", base_port_max));
  }
  return absl::OkStatus();
}

absl::Status RunDev(const DevOptions& options) {
  CHECK(CheckDevOptions(options).ok());
  std::error_code error;
  fs::create_directories(options.dir, error);
  if (error) return LocalError("cannot make the folder", options.dir, error.value());

  Signals signals;
  Servers servers(options);
  const absl::Status ran = RunServers(options, &servers, &signals);
  const absl::Status stopped = servers.Stop(&signals);
  return ran.ok() ? stopped : ran;
}

}  // namespace pando::cli
