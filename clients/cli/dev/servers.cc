#include "cli/dev/servers.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/connection.h"
#include "cli/health.h"

namespace pando::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAnswerMax{300};
constexpr std::chrono::milliseconds kStopMax{10'000};

}  // namespace

absl::Status DevServers::Start(int id) {
  CHECK(!Runs(id));
  // The log of a server alone is shown; those of several would make no sense together.
  const absl::StatusOr<Child> child =
      Child::Start({.binary = BesideThisBinary("pandod"),
                    .arguments = DevArguments(options_, founders_, id),
                    .log_path = options_.servers == 1 ? "" : DevLogPath(options_, id)});
  if (!child.ok()) return base::Annotate(child.status(), "pandod must lie beside pando");
  children_.emplace(id, *child);
  return absl::OkStatus();
}

void DevServers::Kill(int id) {
  const auto found = children_.find(id);
  CHECK(found != children_.end());
  found->second.Send(SIGKILL);
  found->second.WaitForEnd();
  children_.erase(found);
}

bool DevServers::Serves(int id) const {
  Connection connection({.endpoints = {DevAddress(DevPortsOf(options_, id).client)},
                         .timeout = kAnswerMax,
                         .tls = DevClientTls(options_)});
  return CheckHealth(&connection).ok();
}

bool DevServers::AnyEnded() {
  return std::any_of(children_.begin(), children_.end(),
                     [](auto& entry) { return entry.second.End().has_value(); });
}

std::optional<DevServers::Ended> DevServers::TakeEnded() {
  for (auto& [id, child] : children_) {
    const std::optional<int> end = child.End();
    if (!end) continue;
    Ended ended{id, EndText(*end)};
    children_.erase(id);
    return ended;
  }
  return std::nullopt;
}

absl::Status DevServers::Stop(const std::function<void()>& wait) {
  const auto all_ended = [this] {
    bool all = true;
    for (auto& [id, child] : children_) all = child.End().has_value() && all;
    return all;
  };
  for (auto& [id, child] : children_) child.Send(SIGTERM);
  const Clock::time_point deadline = Clock::now() + kStopMax;
  while (!all_ended() && Clock::now() < deadline) wait();

  absl::Status outcome;
  for (auto& [id, child] : children_) {
    const std::optional<int> end = child.End();
    if (end && *end == 0) continue;
    outcome.Update(
        absl::InternalError(end ? absl::StrCat("server ", id, " ended with ", EndText(*end))
                                : absl::StrCat("server ", id, " did not stop in ",
                                               kStopMax.count() / 1000, " s and was killed")));
    child.Send(SIGKILL);
  }
  children_.clear();
  return outcome;
}

}  // namespace pando::cli
