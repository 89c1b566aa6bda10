// pando: the command line of Pando.
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace pando::cli {
namespace {

// One line on a command line that cannot be understood.
std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  const auto given = app.get_subcommands();
  if (given.empty()) {
    const std::vector<std::string> words = app.remaining();
    // CLI11 would only say that a subcommand is required.
    if (!words.empty()) return "there is no command " + words.front() + "; see pando --help";
    if (error.get_name() == "RequiredError") return "a command is missing; see pando --help";
    return std::string(error.what()) + "; see pando --help";
  }
  return std::string(error.what()) + "; see pando " + given.front()->get_name() + " --help";
}

int Run(int argc, char** argv) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      line.app.exit(error);  // --help and --version
      return FlushOutput() ? kExitOk : kExitRefused;
    }
    // CLI11's own exit codes tell its exceptions apart: nothing for scripts.
    Note(WhatIsWrong(line.app, error));
    return kExitUsage;
  }
  const absl::Status status = line.run();
  // What a command printed before it failed comes before its reason.
  const bool printed = FlushOutput();
  if (!status.ok()) {
    Note(std::string(status.message()));
  } else if (!printed) {
    Note("cannot write to the standard output: is the disk full?");
    return kExitRefused;
  }
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace pando::cli

int main(int argc, char** argv) {
  // gRPC's log is for its developers; what matters to the user comes back as a status.
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  return pando::cli::Run(argc, argv);
}
