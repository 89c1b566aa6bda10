#include "cli/duration.h"

#include <charconv>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace pando::cli {
namespace {

constexpr int64_t kMillisecondsMax = int64_t{1} << 40;

// 0: not a unit.
int64_t MillisecondsOf(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s" || unit.empty()) return 1'000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return 0;
}

}  // namespace

absl::StatusOr<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  const int64_t unit = MillisecondsOf({stop, static_cast<size_t>(end - stop)});
  if (error != std::errc() || unit == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", base::View(text), "' is not a time: write 500ms, 10s, 5m, 2h or 7d"));
  }
  if (count > static_cast<uint64_t>(kMillisecondsMax / unit)) {
    return absl::InvalidArgumentError(absl::StrCat("'", base::View(text), "' is too long a time"));
  }
  return std::chrono::milliseconds(static_cast<int64_t>(count) * unit);
}

}  // namespace pando::cli
