// What an ACL lets somebody do. ZooKeeper's rules: an entry grants its permissions to one identity,
// what any entry grants is granted, nothing is ever denied or inherited; and whoever is `super` may
// do everything.
#ifndef PANDO_ACL_PERMISSION_H_
#define PANDO_ACL_PERMISSION_H_

#include <cstdint>
#include <vector>

#include "model/acl.h"

namespace pando::acl {

// The identity of whoever showed the superuser's credential; edges alone give it.
inline constexpr char kSuperScheme[] = "super";
inline const model::Identity kSuper = {kSuperScheme, ""};
bool IsSuper(const std::vector<model::Identity>& identities);

// Whether one of `permissions` is granted to one of `identities`, or to anyone.
bool Allows(const model::Acl& acl, uint32_t permissions,
            const std::vector<model::Identity>& identities);

// What somebody sees of an ACL: without ADMIN, digests without their hashes.
model::Acl ShownTo(const std::vector<model::Identity>& identities, model::Acl acl);

}  // namespace pando::acl

#endif  // PANDO_ACL_PERMISSION_H_
