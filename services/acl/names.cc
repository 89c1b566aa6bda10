#include "acl/names.h"

#include "absl/strings/str_cat.h"
#include "acl/scheme.h"

namespace pando::acl {

std::string NamesOf(const std::vector<model::Identity>& identities) {
  std::string names;
  for (const model::Identity& identity : identities) {
    if (identity == kAnyone) continue;
    const bool digest = identity.scheme == kDigestScheme;
    absl::StrAppend(&names, names.empty() ? "" : " ", identity.scheme, ":",
                    digest ? identity.id.substr(0, identity.id.find(':')) : identity.id);
  }
  return names;
}

}  // namespace pando::acl
