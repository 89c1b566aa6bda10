#include "bench/report.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pando::load {
namespace {

double Milliseconds(base::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// The first second has the connecting in it, and the last is not whole.
uint64_t LowestSecond(const LoadReport& report) {
  if (report.by_second.size() < 3) return 0;
  return *std::min_element(report.by_second.begin() + 1, report.by_second.end() - 1);
}

}  // namespace

std::string ToJson(const LoadReport& report) {
  const Latencies& latencies = report.latencies;
  return absl::StrFormat(R"({"answered":%d,"failed":%d,"first_failure":"%s","elapsed_ms":%.1f,)"
                         R"("operations_per_second":%.0f,"lowest_second":%d,)"
                         R"("p50_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"max_ms":%.3f})",
                         report.answered, report.failed, absl::CEscape(report.first_failure),
                         Milliseconds(report.elapsed), report.operations_per_second(),
                         LowestSecond(report), Milliseconds(latencies.Quantile(0.5)),
                         Milliseconds(latencies.Quantile(0.99)),
                         Milliseconds(latencies.Quantile(0.999)), Milliseconds(latencies.max()));
}

std::string ToText(const LoadReport& report) {
  const Latencies& latencies = report.latencies;
  std::string text = absl::StrFormat(
      "%d operations in %.1f s: %.0f/s (in the lowest second %d)\n"
      "latency: p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.3f ms",
      report.answered, Milliseconds(report.elapsed) / 1000, report.operations_per_second(),
      LowestSecond(report), Milliseconds(latencies.Quantile(0.5)),
      Milliseconds(latencies.Quantile(0.99)), Milliseconds(latencies.Quantile(0.999)),
      Milliseconds(latencies.max()));
  if (report.failed > 0) {
    absl::StrAppend(&text, "\n", report.failed, " failed, the first with: ", report.first_failure);
  }
  return text;
}

}  // namespace pando::load
