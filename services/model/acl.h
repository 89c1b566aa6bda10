// Access control lists and the identities they name, as ZooKeeper has them: per node, not
// inherited, first match wins, no deny entries.
#ifndef PANDO_MODEL_ACL_H_
#define PANDO_MODEL_ACL_H_

#include <cstdint>
#include <string>
#include <vector>

namespace pando::model {

// Bits of AclEntry::permissions; the values are ZooKeeper's.
enum Permission : uint32_t {
  kRead = 1,
  kWrite = 2,
  kCreate = 4,
  kDelete = 8,
  kAdmin = 16,
  kAllPermissions = 31,
};

// Who is asking, resolved at the edge: {"digest", "user:hash"}, {"ip", "10.0.0.1"}, …
struct Identity {
  std::string scheme;
  std::string id;
  friend bool operator==(const Identity&, const Identity&) = default;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};

struct AclEntry {
  uint32_t permissions = 0;
  Identity identity;
  friend bool operator==(const AclEntry&, const AclEntry&) = default;
  friend auto operator<=>(const AclEntry&, const AclEntry&) = default;
};

using Acl = std::vector<AclEntry>;

// What a node gets when its Create names no ACL: everything for everybody.
inline const Acl& OpenAcl() {
  static const Acl acl = {{kAllPermissions, {"world", "anyone"}}};
  return acl;
}

}  // namespace pando::model

#endif  // PANDO_MODEL_ACL_H_
