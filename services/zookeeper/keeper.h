// What ClickHouse Keeper has beyond ZooKeeper, for clients that ask for it: FilteredList,
// CheckNotExists, CreateIfNotExists, RemoveRecursive, and the two nodes by which they know.
//
// The nodes are this server's word and not the tree's: while servers are restarted with other
// flags, each tells what it does itself.
#ifndef PANDO_ZOOKEEPER_KEEPER_H_
#define PANDO_ZOOKEEPER_KEEPER_H_

#include <optional>
#include <string>

#include "jute/records.h"

namespace pando::zookeeper {

// Whether the request, or a part of it, is none of ZooKeeper's.
bool IsOfKeeper(const jute::Request& request);

// What is in the node that `request` reads; none: it reads none of Keeper's own.
std::optional<std::string> KeeperNode(const jute::Request& request);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_KEEPER_H_
