// Whether an event may be delivered: the one place in which watches look at ACLs.
#ifndef PANDO_WATCH_PERMISSION_H_
#define PANDO_WATCH_PERMISSION_H_

#include <vector>

#include "model/acl.h"

namespace pando::watch {

// Whether `acl` grants READ to one of `identities`, or to anyone.
bool MayRead(const model::Acl& acl, const std::vector<model::Identity>& identities);

}  // namespace pando::watch

#endif  // PANDO_WATCH_PERMISSION_H_
