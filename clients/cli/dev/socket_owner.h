// SocketOwner: who is at the other end of a connection within this machine.
#ifndef PANDO_CLIENTS_CLI_DEV_SOCKET_OWNER_H_
#define PANDO_CLIENTS_CLI_DEV_SOCKET_OWNER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace pando::cli {

// A TCP connection over 127.0.0.1, by its two ports.
struct LoopbackConnection {
  uint16_t from = 0;  // of whoever connected
  uint16_t to = 0;
};

// The one of `processes` that has connected; none: somebody else, or it is gone by now. Reads
// /proc, which shows the sockets of one's own processes without any privilege.
std::optional<pid_t> FindSocketOwner(LoopbackConnection connection,
                                     const std::vector<pid_t>& processes);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_SOCKET_OWNER_H_
