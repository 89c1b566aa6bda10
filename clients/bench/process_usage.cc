#include "bench/process_usage.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pando::load {
namespace {

constexpr uint64_t kBytesPerKilobyte = 1'024;
// Of /proc/PID/stat, counted from the one after the program's name.
constexpr size_t kUserTicksField = 11;
constexpr size_t kSystemTicksField = 12;

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

absl::StatusOr<ProcessUsage> UsageOf(pid_t process) {
  const std::string folder = absl::StrCat("/proc/", process, "/");
  const std::string status = ReadAll(folder + "status");
  const std::optional<uint64_t> ticks = CpuTicks(ReadAll(folder + "stat"));
  const std::optional<uint64_t> resident = StatusBytes(status, "VmRSS");
  const std::optional<uint64_t> resident_max = StatusBytes(status, "VmHWM");
  if (!ticks || !resident || !resident_max) {
    return absl::NotFoundError(absl::StrCat("there is no process ", process));
  }
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return ProcessUsage{static_cast<double>(*ticks) / ticks_per_second, *resident, *resident_max};
}

}  // namespace

std::optional<uint64_t> CpuTicks(std::string_view stat) {
  // The name stands in parentheses, and may have blanks and parentheses itself.
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return std::nullopt;
  const std::vector<std::string> fields =
      absl::StrSplit(base::View(stat.substr(name_end + 2)), ' ');
  uint64_t user = 0;
  uint64_t system = 0;
  if (fields.size() <= kSystemTicksField || !absl::SimpleAtoi(fields[kUserTicksField], &user) ||
      !absl::SimpleAtoi(fields[kSystemTicksField], &system)) {
    return std::nullopt;
  }
  return user + system;
}

std::optional<uint64_t> StatusBytes(std::string_view status, std::string_view field) {
  for (const auto& line : absl::StrSplit(base::View(status), '\n')) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(": \t"), absl::SkipEmpty());
    uint64_t kilobytes = 0;
    if (words.size() == 3 && words[0] == field && absl::SimpleAtoi(words[1], &kilobytes)) {
      return kilobytes * kBytesPerKilobyte;
    }
  }
  return std::nullopt;
}

absl::StatusOr<ProcessUsage> UsageOf(const std::vector<pid_t>& processes) {
  ProcessUsage sum;
  for (const pid_t process : processes) {
    const absl::StatusOr<ProcessUsage> one = UsageOf(process);
    if (!one.ok()) return one.status();
    sum.cpu_seconds += one->cpu_seconds;
    sum.resident_bytes += one->resident_bytes;
    sum.resident_bytes_max += one->resident_bytes_max;
  }
  return sum;
}

}  // namespace pando::load
