// Readable: which nodes of a scan of the state may be read by somebody. It is shown the ACLs of
// the same scan, which come before the nodes.
#ifndef PANDO_ACL_READABLE_H_
#define PANDO_ACL_READABLE_H_

#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "codec/record.h"
#include "model/acl.h"
#include "model/record.h"

namespace pando::acl {

class Readable {
 public:
  explicit Readable(std::vector<model::Identity> identities);

  // Shows it an ACL's record. False: it is none that codec writes.
  [[nodiscard]] bool Add(const model::RecordWrite& record);
  // The ACL as it is shown to them; null: they may not read the nodes that have it.
  const model::Acl* Find(codec::AclId acl) const;

 private:
  const std::vector<model::Identity> identities_;
  absl::btree_map<codec::AclId, model::Acl> shown_;  // those that let them read
};

// Whether the record is one for Readable.
bool IsAcl(const model::RecordWrite& record);

}  // namespace pando::acl

#endif  // PANDO_ACL_READABLE_H_
