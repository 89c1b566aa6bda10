// pandod: one server of an ensemble.
#include <cstdio>
#include <memory>
#include <variant>

#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "server/config.h"
#include "server/restore.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/start.h"
#include "server/version.h"

namespace pando::server {
namespace {

// A data dir or an address that cannot be had: the operator has to do something.
constexpr int kCannotStart = 1;

int Serve(const Config& config) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config);
  if (!server.ok()) {
    base::Log(base::Severity::kError, "cannot start",
              {{"error", std::string(server.status().message())}});
    return kCannotStart;
  }
  WaitForStopSignal();
  (*server)->Stop();
  return 0;
}

int Main(int argc, const char* const* argv) {
  // Debian builds abseil so that each lock of gRPC looks for deadlocks, under one lock of all.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::variant<Config, Exit> parsed = ParseConfig(argc, argv);
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->status == 0 ? stdout : stderr);
    return exit->status;
  }
  const Config& config = std::get<Config>(parsed);
  base::ConfigureLog(config.log_format, config.log_level);
  switch (config.action) {
    case Config::Action::kServe:
      // Before there is a second thread: all of them inherit the mask.
      HoldStopSignals();
      base::Log(base::Severity::kInfo, "starting", {{"version", kVersion}, {"id", config.id}});
      return Serve(config);
    case Config::Action::kCheck:
      return CheckDataDir(config);
    case Config::Action::kRecover:
      return RecoverDataDir(config);
    case Config::Action::kRestore:
      return RestoreDataDir(config);
  }
  return kCannotStart;
}

}  // namespace
}  // namespace pando::server

int main(int argc, char** argv) { return pando::server::Main(argc, argv); }
