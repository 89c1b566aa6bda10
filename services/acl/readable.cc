#include "acl/readable.h"

#include <optional>
#include <utility>

#include "acl/permission.h"

namespace pando::acl {

// 0 has no record.
Readable::Readable(std::vector<model::Identity> identities)
    : identities_(std::move(identities)), shown_{{codec::AclId{0}, model::OpenAcl()}} {}

bool Readable::Add(const model::RecordWrite& record) {
  const std::optional<codec::AclId> id = codec::ParseAclKey(record.key);
  model::Acl acl;
  if (!id || !record.value || !codec::DecodeAcl(*record.value, &acl)) return false;
  if (Allows(acl, model::kRead, identities_)) shown_[*id] = ShownTo(identities_, std::move(acl));
  return true;
}

const model::Acl* Readable::Find(codec::AclId acl) const {
  const auto found = shown_.find(acl);
  return found == shown_.end() ? nullptr : &found->second;
}

bool IsAcl(const model::RecordWrite& record) {
  return !record.key.empty() && record.key[0] == static_cast<char>(codec::RecordKind::kAcl);
}

}  // namespace pando::acl
