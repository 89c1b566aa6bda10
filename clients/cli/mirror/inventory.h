// Inventory: which nodes a tree has, and a print of what is in each: enough to tell two trees apart
// without holding either.
#ifndef PANDO_CLIENTS_CLI_MIRROR_INVENTORY_H_
#define PANDO_CLIENTS_CLI_MIRROR_INVENTORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/path_order.h"
#include "model/acl.h"
#include "model/node.h"

namespace pando::cli {

// Hashes against accidents, not against malice.
struct Fingerprint {
  uint64_t data = 0;
  uint64_t acl = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};
Fingerprint FingerprintOf(const model::NodeBytes& data, const model::Acl& acl);

// Without ephemeral nodes, which go with their sessions.
using Inventory = std::map<std::string, Fingerprint, PathOrder>;

// Of all of it: equal inventories, equal digests.
uint64_t DigestOf(const Inventory& inventory);
// What one of them lacks or has otherwise, in order.
std::vector<std::string> DifferencesOf(const Inventory& a, const Inventory& b);

// ZooKeeper's own nodes are no part of a tree that is copied.
bool IsSystemPath(std::string_view path);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_INVENTORY_H_
