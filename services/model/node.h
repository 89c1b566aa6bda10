// What is known of a node besides its path.
#ifndef PANDO_MODEL_NODE_H_
#define PANDO_MODEL_NODE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace pando::model {

enum class NodeKind : uint8_t { kPersistent = 0, kEphemeral = 1, kContainer = 2, kTtl = 3 };

// Absent is not empty: a node has null data, or data of zero or more bytes.
using NodeBytes = std::optional<std::string>;

// ZooKeeper's Stat with 64-bit versions. In brackets ZooKeeper's names.
struct Stat {
  Revision create_revision;      // czxid
  Revision modify_revision;      // mzxid: created or data set; SetAcl does not count
  Revision children_revision;    // pzxid: last child created or deleted; a new node's own revision
  base::WallTime ctime;          // stamp of the command that created it
  base::WallTime mtime;          // stamp of the command behind modify_revision
  int64_t version = 0;           // sets of data since it was created
  int64_t children_version = 0;  // cversion: creates plus deletes of direct children
  int64_t acl_version = 0;       // aversion
  SessionId ephemeral_owner;     // none for the other kinds
  int64_t data_length = 0;       // bytes; 0 for null data
  int64_t children_count = 0;    // numChildren

  friend bool operator==(const Stat&, const Stat&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_NODE_H_
