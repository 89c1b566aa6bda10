// PeerNetwork: the network between the servers of `pando dev`, which can be cut.
//
//   server 1 ──► outer port of 2 ──[ PeerNetwork ]──► own port of 2
//
// The servers know one another by their outer ports only, so all that passes between them passes
// here. Who connects is told by the process that holds the connection's other end. Between two
// servers of which one is cut off nothing passes, as on a cable that is pulled: the bytes and the
// ends of open connections wait until it is healed, and new ones are turned away. A connection of
// somebody else is cut when the server that it leads to is.
//
// It has a thread of its own. Thread-safe.
#ifndef PANDO_CLIENTS_CLI_DEV_PEER_NETWORK_H_
#define PANDO_CLIENTS_CLI_DEV_PEER_NETWORK_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

namespace pando::cli {

class PeerNetwork {
 public:
  // Both ports are of 127.0.0.1.
  struct Route {
    int server = 0;
    uint16_t outer_port = 0;
    uint16_t own_port = 0;
  };
  // INTERNAL: an outer port cannot be listened on.
  static absl::StatusOr<std::unique_ptr<PeerNetwork>> Start(const std::vector<Route>& routes);
  // Breaks all connections.
  ~PeerNetwork();

  // Says by which process `server` runs now. Before it connects to anybody.
  void SetProcess(int server, pid_t process);
  void Cut(int server);
  void Heal(int server);

 private:
  class Fabric;

  explicit PeerNetwork(std::unique_ptr<Fabric> fabric);

  const std::unique_ptr<Fabric> fabric_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_DEV_PEER_NETWORK_H_
