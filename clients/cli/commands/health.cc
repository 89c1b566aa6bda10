#include "cli/health.h"

#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

absl::Status Health(const Globals& globals) {
  Connection connection = globals.Connect();
  PANDO_RETURN_IF_ERROR(CheckHealth(&connection));
  Print(globals.format == Format::kJson ? Line({{"status", "SERVING"}}) + "\n" : "SERVING\n");
  return absl::OkStatus();
}

}  // namespace

void AddHealth(CommandLine* line) {
  AddCommand(line, &line->app, "health", "Exit status 0 if a server answers and serves",
             [line] { return Health(line->globals); });
}

}  // namespace pando::cli
