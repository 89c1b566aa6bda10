// DevOptions: what `pando dev` is to run, and where each of its servers is.
#ifndef PANDO_CLIENTS_CLI_DEV_OPTIONS_H_
#define PANDO_CLIENTS_CLI_DEV_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/tls/options.h"

namespace pando::cli {

struct DevOptions {
  int servers = 3;
  std::string dir = "./var";
  int base_port = 7400;
  bool tls = false;  // with the certificates in DIR/certs
};

// Where server `id`, from 1, listens: its client port is base_port + 10 (id - 1).
struct DevPorts {
  int client = 0;
  int peer = 0;  // where other servers find it
  int http = 0;
  int zookeeper = 0;
  int own_peer = 0;  // where it listens for them when PeerNetwork is in between
};
DevPorts DevPortsOf(const DevOptions& options, int id);

// "127.0.0.1:7400".
std::string DevAddress(int port);
// The client addresses of all servers.
std::vector<std::string> DevEndpoints(const DevOptions& options);

// Where the certificates are, and what a client here shows and trusts.
std::string DevCertsDir(const DevOptions& options);
TlsOptions DevClientTls(const DevOptions& options);

// The folder of the data of server `id`, and the file of its log where there are several.
std::string DevDataDir(const DevOptions& options, int id);
std::string DevLogPath(const DevOptions& options, int id);

// The arguments of server `id`, without the name of the binary. The first `founders` servers form
// the ensemble, the others join it.
std::vector<std::string> DevArguments(const DevOptions& options, int founders, int id);

// INVALID_ARGUMENT: that many servers there cannot be, or some port would be none.
absl::Status CheckDevOptions(const DevOptions& options);

// Makes the folder, or looks at what it holds, and returns the number of founders. What the folder
// was made for is kept in DIR/dev.json; a folder of one server may have none. INVALID_ARGUMENT: the
// servers in it are more, or know one another by other ports, than `options` say.
absl::StatusOr<int> PrepareDevDir(const DevOptions& options);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_OPTIONS_H_
