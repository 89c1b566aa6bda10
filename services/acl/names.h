// Names: who somebody is, for a log.
#ifndef PANDO_ACL_NAMES_H_
#define PANDO_ACL_NAMES_H_

#include <string>
#include <vector>

#include "model/acl.h"

namespace pando::acl {

// "ip:10.0.0.1 digest:ann": all but world:anyone, and without the hashes of digests, which are as
// good as the passwords of those who chose short ones.
std::string NamesOf(const std::vector<model::Identity>& identities);

}  // namespace pando::acl

#endif  // PANDO_ACL_NAMES_H_
