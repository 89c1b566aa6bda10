// DevCommand: a line that is typed at the prompt of `pando dev`.
#ifndef PANDO_CLIENTS_CLI_DEV_COMMAND_H_
#define PANDO_CLIENTS_CLI_DEV_COMMAND_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace pando::cli {

struct DevCommand {
  enum class Kind { kNothing, kKill, kStart, kPartition, kHeal, kStatus, kHelp, kQuit };
  Kind kind = Kind::kNothing;
  int server = 0;  // of the first four
};

// INVALID_ARGUMENT: there is no such command, or no such server of `servers`.
absl::StatusOr<DevCommand> ParseDevCommand(std::string_view line, int servers);

// What `help` prints.
std::string DevHelp();

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_COMMAND_H_
