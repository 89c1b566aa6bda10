#include "quota/limits.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace pando::quota {

// Its pairs end in ',' or ';', and the soft ones in a '=' besides, which is for the readers of
// before there were hard ones.
Limits ParseLimits(std::string_view text) {
  Limits limits;
  for (const absl::string_view pair :
       absl::StrSplit(base::View(text), absl::ByAnyChar(",;"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    int64_t number = 0;
    if (!absl::SimpleAtoi(parts.second, &number)) continue;
    const std::optional<int64_t> limit = number < 0 ? std::nullopt : std::optional<int64_t>(number);
    if (parts.first == "countHardLimit") limits.nodes_max = limit;
    if (parts.first == "byteHardLimit") limits.bytes_max = limit;
  }
  return limits;
}

std::string FormatUsage(const model::Usage& usage) {
  return absl::StrCat("count=", usage.nodes, ",bytes=", usage.bytes);
}

}  // namespace pando::quota
