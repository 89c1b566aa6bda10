// RunShell: a command of the user's, run to its end.
#ifndef PANDO_CLIENTS_CLI_SHELL_H_
#define PANDO_CLIENTS_CLI_SHELL_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace pando::cli {

// Runs `command` with sh, `input` as its standard input and `variables` added to its environment.
// Its exit status, or 128 plus the signal that ended it. A command need not read its input.
absl::StatusOr<int> RunShell(const std::string& command, std::string_view input,
                             const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SHELL_H_
