// Times as people type them.
#ifndef PANDO_CLIENTS_CLI_DURATION_H_
#define PANDO_CLIENTS_CLI_DURATION_H_

#include <chrono>
#include <string_view>

#include "absl/status/statusor.h"

namespace pando::cli {

// "500ms", "10s", "5m", "2h", "7d"; a bare number is seconds. Whole numbers from 0 on, at most
// 2^40 ms (the longest TTL); anything else is INVALID_ARGUMENT.
absl::StatusOr<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DURATION_H_
