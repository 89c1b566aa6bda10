#include "cli/dev/dev.h"

#include <memory>

#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {

void AddDev(CommandLine* line) {
  const auto options = std::make_shared<DevOptions>();
  CLI::App* command =
      AddCommand(line, &line->app, "dev",
                 "Run an ensemble here until Ctrl-C, to try it and to see it fail over", [options] {
                   PANDO_RETURN_IF_ERROR(CheckDevOptions(*options));
                   return RunDev(*options);
                 });
  command->add_option("--servers", options->servers, "How many, 1 to 9 (default 3)")
      ->type_name("N");
  command->add_option("--dir", options->dir, "Where their data is kept (default ./var)")
      ->type_name("D");
  command
      ->add_option("--base-port", options->base_port,
                   "The first server's port for clients; +1 peers, +2 HTTP, +3 ZooKeeper; the next "
                   "server's are 10 higher (default 7400)")
      ->type_name("P");
  command->add_flag("--tls", options->tls,
                    "Speak TLS, with certificates that are made in D/certs and last a year");
}

}  // namespace pando::cli
