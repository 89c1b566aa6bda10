// RunDev: servers to try Pando with, and to watch fail over.
#ifndef PANDO_CLIENTS_CLI_DEV_DEV_H_
#define PANDO_CLIENTS_CLI_DEV_DEV_H_

#include "absl/status/status.h"
#include "cli/dev/options.h"

namespace pando::cli {

// Starts the servers, says what listens where when all of them serve, and does what is typed, or
// written to the standard input (dev/command.h), until INT, TERM or `quit`. Then it stops them. OK
// if all that ran then ended well. A prompt is shown on a terminal only; the end of the input is
// the end there, and elsewhere only of the commands.
//
// A server that ends by itself before all serve, or that is the only one, is the end too, with
// INTERNAL. REQUIRES: CheckDevOptions is OK; there is no other thread yet.
absl::Status RunDev(const DevOptions& options);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_DEV_H_
