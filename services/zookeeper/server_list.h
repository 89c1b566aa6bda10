// ServerList: the members of an ensemble in ZooKeeper's words, as a reconfig brings them:
// "server.4=host:2888:3888:observer;host:2181".
#ifndef PANDO_ZOOKEEPER_SERVER_LIST_H_
#define PANDO_ZOOKEEPER_SERVER_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "jute/records.h"
#include "model/ids.h"

namespace pando::zookeeper {

struct ListedServer {
  model::ServerId id;
  std::string peer_address;  // HOST:PORT
  bool votes = true;         // a participant
  std::string client_host;   // empty: any of the server's, as ZooKeeper's 0.0.0.0
  std::string client_port;
  friend bool operator==(const ListedServer&, const ListedServer&) = default;
};

// What a reconfig wants.
struct WantedServers {
  std::vector<ListedServer> joining;
  std::vector<model::ServerId> leaving;
  bool whole = false;  // `joining` are all: whoever else there is leaves
};

// kOk; or what ZooKeeper says of such a text: kBadArguments, kMarshallingError. kUnimplemented:
// ZooKeeper would understand it, and Pando has nothing like it: groups, weights, several addresses.
jute::ErrorCode ParseWanted(const jute::Reconfig& request, WantedServers* wanted);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_SERVER_LIST_H_
