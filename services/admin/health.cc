#include "admin/health.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pando::admin {

std::vector<HealthCheck> CheckAlive(const Metrics& metrics, base::Instant now) {
  const base::Duration since_turn = now - std::min(metrics.last_turn(), now);
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_turn).count();
  return {
      {"core", since_turn <= kCoreStallMax, absl::StrCat("the core loop turned ", ms, " ms ago")}};
}

std::vector<HealthCheck> CheckReady(const Metrics& metrics, base::Instant now) {
  std::vector<HealthCheck> checks = CheckAlive(metrics, now);
  const uint64_t leader = metrics.Get(Gauge::kLeader);
  checks.push_back({"leader", leader != 0,
                    leader != 0 ? absl::StrCat("server ", leader) : "no leader is known"});
  const uint64_t applied = metrics.Get(Gauge::kApplied);
  const uint64_t ready_at = metrics.Get(Gauge::kReadyAt);
  checks.push_back({"applied", applied > 0 && applied >= ready_at,
                    absl::StrCat("revision ", applied, "; up to date from ", ready_at, " on")});
  return checks;
}

bool AllOk(const std::vector<HealthCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const HealthCheck& c) { return c.ok; });
}

std::string FormatChecks(const std::vector<HealthCheck>& checks, bool verbose) {
  std::string text;
  for (const HealthCheck& check : checks) {
    if (check.ok && !verbose) continue;
    absl::StrAppend(&text, check.ok ? "ok   " : "FAIL ", check.name, ": ", check.detail, "\n");
  }
  return text.empty() ? "ok\n" : text;
}

}  // namespace pando::admin
