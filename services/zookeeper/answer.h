// Answer: replies of the core as ZooKeeper's.
#ifndef PANDO_ZOOKEEPER_ANSWER_H_
#define PANDO_ZOOKEEPER_ANSWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "jute/records.h"
#include "model/acl.h"
#include "model/reply.h"
#include "zookeeper/translate.h"

namespace pando::zookeeper {

// Appends the frame that answers `expected`, whose last answer is `reply`.
void AppendAnswer(const Expected& expected, const model::Reply& reply, int64_t zxid,
                  std::string* out);

// The answer to WhoAmI.
void AppendWhoAmI(const Expected& expected, const std::vector<model::Identity>& identities,
                  int64_t zxid, std::string* out);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_ANSWER_H_
