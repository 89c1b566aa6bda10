#include "watch/permission.h"

#include <algorithm>

namespace pando::watch {

bool MayRead(const model::Acl& acl, const std::vector<model::Identity>& identities) {
  return std::any_of(acl.begin(), acl.end(), [&identities](const model::AclEntry& entry) {
    if ((entry.permissions & model::kRead) == 0) return false;
    if (entry.identity.scheme == "world" && entry.identity.id == "anyone") return true;
    return std::find(identities.begin(), identities.end(), entry.identity) != identities.end();
  });
}

}  // namespace pando::watch
