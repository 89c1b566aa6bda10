#include "acl/permission.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "acl/scheme.h"

namespace pando::acl {
namespace {

bool Names(const model::Identity& entry, const model::Identity& identity) {
  if (entry.scheme != identity.scheme) return false;
  return entry.scheme == kIpScheme ? AddressIsWithin(identity.id, entry.id)
                                   : entry.id == identity.id;
}

}  // namespace

bool IsSuper(const std::vector<model::Identity>& identities) {
  return std::any_of(identities.begin(), identities.end(), [](const model::Identity& identity) {
    return identity.scheme == kSuperScheme;
  });
}

bool Allows(const model::Acl& acl, uint32_t permissions,
            const std::vector<model::Identity>& identities) {
  for (const model::AclEntry& entry : acl) {
    if ((entry.permissions & permissions) == 0) continue;
    if (entry.identity == kAnyone) return true;
    for (const model::Identity& identity : identities) {
      if (Names(entry.identity, identity)) return true;
    }
  }
  return IsSuper(identities);
}

model::Acl ShownTo(const std::vector<model::Identity>& identities, model::Acl acl) {
  if (Allows(acl, model::kAdmin, identities)) return acl;
  for (model::AclEntry& entry : acl) {
    if (entry.identity.scheme != kDigestScheme) continue;
    std::string& id = entry.identity.id;
    id = absl::StrCat(id.substr(0, id.find(':')), ":x");
  }
  return acl;
}

}  // namespace pando::acl
