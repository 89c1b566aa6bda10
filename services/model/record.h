// Record: the unit of replicated state. All of it, and nothing else, is a sorted map from key bytes
// to value bytes: the tree, ACLs, sessions, kept replies, source numbers, membership, version,
// stamp. Machine keeps it decoded, LevelDB and snapshots keep it as it is, the digest sums it up.
// codec/record.h says what the bytes mean.
#ifndef PANDO_MODEL_RECORD_H_
#define PANDO_MODEL_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.h"

namespace pando::model {

// One write of a delta: a new value for `key`, or its end.
struct RecordWrite {
  std::string key;
  std::optional<std::string> value;

  size_t bytes() const { return sizeof(RecordWrite) + key.size() + (value ? value->size() : 0); }
  friend bool operator==(const RecordWrite&, const RecordWrite&) = default;
};

// What one command did to the state. Later writes of one key win.
struct Delta {
  std::vector<RecordWrite> writes;

  size_t bytes() const {
    size_t sum = 0;
    for (const RecordWrite& write : writes) sum += write.bytes();
    return sum;
  }
};

// What a state is of.
struct StateMark {
  Revision revision;
  Term term;            // of the entry of that revision
  uint64_t digest = 0;  // of all records
  friend bool operator==(const StateMark&, const StateMark&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_RECORD_H_
