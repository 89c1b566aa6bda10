// Data of a node, as the command line gives it.
#ifndef PANDO_CLIENTS_CLI_COMMANDS_DATA_ARGUMENT_H_
#define PANDO_CLIENTS_CLI_COMMANDS_DATA_ARGUMENT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/commands/command.h"
#include "cli/output.h"

namespace pando::cli {

// [DATA] and --file FILE: at most one of them. DATA "-" and FILE "-" are the standard input.
struct DataArgument {
  std::optional<std::string> word;
  std::string file;

  void AddTo(CLI::App* command, const std::string& description);
  bool given() const { return word.has_value() || !file.empty(); }
  // Null if nothing is given.
  absl::StatusOr<Data> Read() const;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_COMMANDS_DATA_ARGUMENT_H_
