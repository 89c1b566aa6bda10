// ProcessUsage: what processes of this machine have used, from /proc.
#ifndef PANDO_CLIENTS_BENCH_PROCESS_USAGE_H_
#define PANDO_CLIENTS_BENCH_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pando::load {

struct ProcessUsage {
  double cpu_seconds = 0;           // of all threads, in the kernel too
  uint64_t resident_bytes = 0;      // now
  uint64_t resident_bytes_max = 0;  // since the process started
};

// Summed up. NOT_FOUND names the process that there is not.
absl::StatusOr<ProcessUsage> UsageOf(const std::vector<pid_t>& processes);

// What /proc/PID/stat says, in ticks, and a field of /proc/PID/status such as "VmHWM", in bytes.
// None: they do not say it.
std::optional<uint64_t> CpuTicks(std::string_view stat);
std::optional<uint64_t> StatusBytes(std::string_view status, std::string_view field);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_PROCESS_USAGE_H_
