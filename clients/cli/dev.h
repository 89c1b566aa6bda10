// RunDev: servers as child processes of one terminal, to try Pando with.
#ifndef PANDO_CLIENTS_CLI_DEV_H_
#define PANDO_CLIENTS_CLI_DEV_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pando::cli {

struct DevOptions {
  int servers = 1;
  std::string dir = "./var";
  int base_port = 7400;
};

// Where server `id`, from 1, listens: its client port is base_port + 10 (id - 1).
struct DevPorts {
  int client = 0;
  int peer = 0;
  int http = 0;
  int zookeeper = 0;
};
DevPorts DevPortsOf(const DevOptions& options, int id);

// The folder of the data of server `id`.
std::string DevDataDir(const DevOptions& options, int id);

// The arguments of server `id`, without the name of the binary.
std::vector<std::string> DevArguments(const DevOptions& options, int id);

// INVALID_ARGUMENT: that many servers there cannot be, or some port would be none.
absl::Status CheckDevOptions(const DevOptions& options);

// Starts `pandod` from the folder of this binary for each server, says what listens where when all
// of them answer, and runs until INT or TERM. Then it stops them: TERM, and KILL after 10 s. OK if
// all of them ended well. When a server ends by itself it stops the others and fails.
// REQUIRES: CheckDevOptions is OK; there is no other thread yet.
absl::Status RunDev(const DevOptions& options);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_H_
