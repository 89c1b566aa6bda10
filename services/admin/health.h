// Health: is this process alive, and can it serve? Two different questions: a server without a
// leader is alive (restarting it helps nobody) and not ready.
#ifndef PANDO_ADMIN_HEALTH_H_
#define PANDO_ADMIN_HEALTH_H_

#include <string>
#include <vector>

#include "admin/metrics.h"
#include "base/time.h"

namespace pando::admin {

// The core loop turns several times a second even when nothing happens. One turn may take long (a
// recursive delete), but not so long.
inline constexpr base::Duration kCoreStallMax = std::chrono::seconds(10);

struct HealthCheck {
  std::string name;
  bool ok = false;
  std::string detail;  // one clause, good or bad
};

// Should the process be left running?
std::vector<HealthCheck> CheckAlive(const Metrics& metrics, base::Instant now);

// Should clients be sent here? Everything of CheckAlive; a leader is known; and what the log held
// at the start is applied. A server that refuses writes for want of disk space still serves reads.
std::vector<HealthCheck> CheckReady(const Metrics& metrics, base::Instant now);

bool AllOk(const std::vector<HealthCheck>& checks);

// "ok" or the checks that fail, one a line; `verbose`: all of them.
std::string FormatChecks(const std::vector<HealthCheck>& checks, bool verbose);

}  // namespace pando::admin

#endif  // PANDO_ADMIN_HEALTH_H_
