#include "cli/dev/dev.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/certs/certs.h"
#include "cli/connection.h"
#include "cli/dev/command.h"
#include "cli/dev/input.h"
#include "cli/dev/peer_network.h"
#include "cli/dev/servers.h"
#include "cli/ensemble_status.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// How often a server that starts is asked whether it serves.
constexpr milliseconds kAskEvery{100};
// A server that starts on much data takes its time; nobody is left to wonder.
constexpr milliseconds kTellEvery{10'000};
// How long `start N` waits until it serves.
constexpr milliseconds kStartMax{5'000};
constexpr milliseconds kPromoteMax{60'000};
constexpr milliseconds kStatusMax{2'000};
constexpr milliseconds kForever{3'600'000};
// While it is in the background of its terminal, where nothing says when that ends.
constexpr milliseconds kBackgroundTurn{1'000};

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

// "" if there is none.
std::string LastLine(const std::string& path) {
  std::ifstream lines(path);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// What listens where, and what to do with it.
std::string Welcome(const DevOptions& options) {
  Table table({{"SERVER", true}, {"CLIENTS"}, {"PEERS"}, {"HTTP"}, {"ZOOKEEPER"}, {"DATA"}});
  for (int id = 1; id <= options.servers; ++id) {
    const DevPorts ports = DevPortsOf(options, id);
    table.Add({absl::StrCat(id), DevAddress(ports.client), DevAddress(ports.peer),
               DevAddress(ports.http), DevAddress(ports.zookeeper), DevDataDir(options, id)});
  }
  // The endpoints that `pando` has by itself are those of three servers.
  const bool is_default = options.servers <= 3 && options.base_port == DevOptions().base_port;
  const std::string name =
      OwnName() + (is_default ? "" : " --endpoints " + absl::StrJoin(DevEndpoints(options), ","));
  const std::string logs =
      options.servers == 1 ? "" : absl::StrCat("Logs: ", options.dir, "/server-*.log\n");
  const tls::Files files = DevClientTls(options).files;
  const std::string variables = options.tls ? absl::StrCat("export PANDO_TLS_CA=", files.ca,
                                                           " PANDO_TLS_CERT=", files.certificate,
                                                           " PANDO_TLS_KEY=", files.key, "\n  ")
                                            : "";
  return absl::StrCat(table.Render(Format::kTable), logs, "\nIn another terminal:\n  ", variables,
                      name, " create /hello world\n  ", name, " get /hello\n  ", name,
                      " watch -r /\n\nHere:\n", DevHelp(), "\nCtrl-C stops ",
                      options.servers == 1 ? "it" : "them", ".\n");
}

class Dev {
 public:
  Dev(const DevOptions& options, int founders)
      : options_(options), founders_(founders), servers_(options, founders) {}

  absl::Status Run() {
    const absl::Status ran = StartAndServe();
    const absl::Status stopped = servers_.Stop([this] { signals_.Wait(kAskEvery); });
    return ran.ok() ? stopped : ran;
  }

 private:
  absl::Status StartAndServe() {
    PANDO_RETURN_IF_ERROR(StartNetwork());
    for (int id = 1; id <= options_.servers; ++id) PANDO_RETURN_IF_ERROR(Start(id));
    for (int id = 1; id <= options_.servers; ++id) PANDO_RETURN_IF_ERROR(WaitForServing(id));
    PANDO_RETURN_IF_ERROR(PromoteJoined());
    if (signals_.Stopped()) return absl::OkStatus();
    Print(Welcome(options_));
    return Serve();
  }

  absl::Status StartNetwork() {
    if (options_.servers == 1) return absl::OkStatus();
    std::vector<PeerNetwork::Route> routes;
    for (int id = 1; id <= options_.servers; ++id) {
      const DevPorts ports = DevPortsOf(options_, id);
      routes.push_back(
          {id, static_cast<uint16_t>(ports.peer), static_cast<uint16_t>(ports.own_peer)});
    }
    absl::StatusOr<std::unique_ptr<PeerNetwork>> network = PeerNetwork::Start(routes);
    if (!network.ok()) return network.status();
    network_ = *std::move(network);
    return absl::OkStatus();
  }

  absl::Status Start(int id) {
    PANDO_RETURN_IF_ERROR(servers_.Start(id));
    if (network_ != nullptr) network_->SetProcess(id, servers_.Process(id));
    return absl::OkStatus();
  }

  // OK when it serves, or when all was stopped first.
  absl::Status WaitForServing(int id) {
    Clock::time_point told = Clock::now();
    while (!signals_.Stopped()) {
      if (const auto ended = servers_.TakeEnded()) return EndedByItself(*ended);
      if (servers_.Serves(id)) break;
      if (Clock::now() - told >= kTellEvery) {
        told = Clock::now();
        Note(absl::StrCat("server ", id, " does not serve yet; still waiting", LogHint(id)));
      }
      signals_.Wait(kAskEvery);
    }
    return absl::OkStatus();
  }

  // Those that have joined an older ensemble are to vote like the others.
  absl::Status PromoteJoined() {
    for (int id = founders_ + 1; id <= options_.servers && !signals_.Stopped(); ++id) {
      Connection connection({.endpoints = DevEndpoints(options_),
                             .timeout = kPromoteMax,
                             .tls = DevClientTls(options_)});
      v1::PromoteMemberRequest request;
      request.set_id(id);
      v1::PromoteMemberResponse response;
      PANDO_RETURN_IF_ERROR(base::Annotate(
          connection.Call(CallKind::kRepeatableWrite, &v1::ClusterService::Stub::PromoteMember,
                          request, &response),
          absl::StrCat("server ", id, " cannot be made a voter")));
    }
    return absl::OkStatus();
  }

  // OK when it was stopped.
  absl::Status Serve() {
    LineInput input;
    ShowPrompt(input);
    while (!signals_.Stopped() && !quit_) {
      if (const auto ended = servers_.TakeEnded()) {
        if (options_.servers == 1) return EndedByItself(*ended);
        Note(absl::StrCat(EndedByItself(*ended).message(), "; `start ", ended->id,
                          "` starts it again"));
        ShowPrompt(input);
      }
      const int descriptor = input.descriptor();
      const bool in_background = descriptor < 0 && !input.ended();
      if (!signals_.Wait(in_background ? kBackgroundTurn : kForever, descriptor)) continue;
      input.Read();
      while (const std::optional<std::string> line = input.TakeLine()) {
        Do(*line);
        if (!quit_) ShowPrompt(input);
      }
      if (input.ended() && input.interactive()) quit_ = true;
    }
    return absl::OkStatus();
  }

  static void ShowPrompt(const LineInput& input) {
    if (input.interactive()) Print("pando> ");
    // Somebody who closed our output may still want the servers.
    FlushOutput();
  }

  void Do(const std::string& line) {
    const absl::StatusOr<DevCommand> command = ParseDevCommand(line, options_.servers);
    const absl::Status done = command.ok() ? Do(*command) : command.status();
    if (!done.ok()) Print(absl::StrCat(done.message(), "\n"));
  }

  absl::Status Do(const DevCommand& command) {
    switch (command.kind) {
      case DevCommand::Kind::kNothing:
        return absl::OkStatus();
      case DevCommand::Kind::kKill:
        return Kill(command.server);
      case DevCommand::Kind::kStart:
        return StartAgain(command.server);
      case DevCommand::Kind::kPartition:
        return Partition(command.server);
      case DevCommand::Kind::kHeal:
        return Heal(command.server);
      case DevCommand::Kind::kStatus:
        return ShowStatus();
      case DevCommand::Kind::kHelp:
        Print(DevHelp());
        return absl::OkStatus();
      case DevCommand::Kind::kQuit:
        quit_ = true;
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status Kill(int id) {
    if (!servers_.Runs(id)) {
      return absl::FailedPreconditionError(absl::StrCat("server ", id, " does not run"));
    }
    servers_.Kill(id);
    Print(absl::StrCat("server ", id, " is killed\n"));
    return absl::OkStatus();
  }

  absl::Status StartAgain(int id) {
    if (servers_.Runs(id)) {
      return absl::FailedPreconditionError(absl::StrCat("server ", id, " runs already"));
    }
    PANDO_RETURN_IF_ERROR(Start(id));
    const Clock::time_point deadline = Clock::now() + kStartMax;
    while (!signals_.Stopped() && Clock::now() < deadline && servers_.Runs(id)) {
      if (servers_.Serves(id)) {
        Print(absl::StrCat("server ", id, " serves\n"));
        return absl::OkStatus();
      }
      signals_.Wait(kAskEvery);
      if (servers_.AnyEnded()) return absl::OkStatus();  // told by whoever asked
    }
    Print(absl::StrCat("server ", id, " runs, and does not serve yet", LogHint(id), "\n"));
    return absl::OkStatus();
  }

  absl::Status Partition(int id) {
    if (network_ == nullptr) {
      return absl::FailedPreconditionError("there is nobody to cut it off from: see --servers");
    }
    if (!cut_.insert(id).second) {
      return absl::FailedPreconditionError(absl::StrCat("server ", id, " is cut off already"));
    }
    network_->Cut(id);
    Print(absl::StrCat("server ", id, " is cut off from the others\n"));
    return absl::OkStatus();
  }

  absl::Status Heal(int id) {
    if (cut_.erase(id) == 0) {
      return absl::FailedPreconditionError(absl::StrCat("server ", id, " is not cut off"));
    }
    network_->Heal(id);
    Print(absl::StrCat("server ", id, " reaches the others again\n"));
    return absl::OkStatus();
  }

  absl::Status ShowStatus() {
    Connection connection({.endpoints = DevEndpoints(options_),
                           .timeout = kStatusMax,
                           .tls = DevClientTls(options_)});
    const absl::StatusOr<EnsembleStatus> status = AskEnsemble(&connection);
    if (!status.ok()) return status.status();
    Print(EnsembleStatusText(*status, Format::kTable));
    for (int id = 1; id <= options_.servers; ++id) {
      if (!servers_.Runs(id)) Print(absl::StrCat("server ", id, " does not run\n"));
    }
    for (const int id : cut_) Print(absl::StrCat("server ", id, " is cut off from the others\n"));
    return absl::OkStatus();
  }

  absl::Status EndedByItself(const DevServers::Ended& ended) const {
    return absl::InternalError(
        absl::StrCat("server ", ended.id, " ended by itself, with ", ended.how, LogHint(ended.id)));
  }

  // Where its own words are.
  std::string LogHint(int id) const {
    if (options_.servers == 1) return ": its own words above say why";
    const std::string path = DevLogPath(options_, id);
    const std::string last = LastLine(path);
    return absl::StrCat(": see ", path, last.empty() ? "" : ", which ends with: ", last);
  }

  const DevOptions& options_;
  const int founders_;
  Signals signals_;                       // before there are threads
  std::unique_ptr<PeerNetwork> network_;  // null: one server
  DevServers servers_;
  std::set<int> cut_;
  bool quit_ = false;
};

}  // namespace

absl::Status RunDev(const DevOptions& options) {
  CHECK(CheckDevOptions(options).ok());
  const absl::StatusOr<int> founders = PrepareDevDir(options);
  if (!founders.ok()) return founders.status();
  if (options.tls) PANDO_RETURN_IF_ERROR(MakeCerts({.dir = DevCertsDir(options)}));
  return Dev(options, *founders).Run();
}

}  // namespace pando::cli
