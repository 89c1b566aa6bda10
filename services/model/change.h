// Change: one node's mutation, as watches see it.
#ifndef PANDO_MODEL_CHANGE_H_
#define PANDO_MODEL_CHANGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/acl.h"
#include "model/ids.h"
#include "model/node.h"

namespace pando::model {

enum class ChangeKind : uint8_t { kCreated = 1, kDeleted = 2, kDataChanged = 3, kAclChanged = 4 };

struct Change {
  Revision revision;
  ChangeKind kind = ChangeKind::kCreated;
  std::string path;
  Stat stat;       // after the change; of a deleted node as it was last
  NodeBytes data;  // after the change; null for kDeleted
  // Delivery is filtered by the ACL of this revision: READ on the node, or for a watch of children
  // on its parent. Shared, because most nodes have one of few ACLs. Never null.
  std::shared_ptr<const Acl> acl;
  std::shared_ptr<const Acl> parent_acl;

  // What it weighs in a window or an Outbox.
  size_t bytes() const { return sizeof(Change) + path.size() + (data ? data->size() : 0); }
};

// All changes of one revision, in the order in which they were made. Immutable and shared: by the
// window, by every stream's Outbox and by the change log's writer. Thread-safe, as all const is.
struct ChangeBatch {
  Revision revision;
  std::vector<Change> changes;

  size_t bytes() const {
    size_t sum = sizeof(ChangeBatch);
    for (const Change& change : changes) sum += change.bytes();
    return sum;
  }
};

}  // namespace pando::model

#endif  // PANDO_MODEL_CHANGE_H_
