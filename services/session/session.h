// Session: a client's lease on being alive, as far as it is replicated.
#ifndef PANDO_SESSION_SESSION_H_
#define PANDO_SESSION_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "codec/record.h"
#include "model/ids.h"

namespace pando::session {

// `record` and `kept` are records of the state; `ephemerals` follows from the tree.
struct Session {
  codec::SessionRecord record;
  absl::btree_map<model::RequestId, codec::KeptReplyRecord> kept;
  size_t kept_bytes = 0;
  absl::btree_set<std::string> ephemerals;  // paths
};

// By id, so that everything that goes over all of them has one order.
using SessionTable = absl::btree_map<model::SessionId, Session>;

}  // namespace pando::session

#endif  // PANDO_SESSION_SESSION_H_
