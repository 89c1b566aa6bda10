// Entry: one position of the replicated log.
#ifndef PANDO_MODEL_ENTRY_H_
#define PANDO_MODEL_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/ids.h"

namespace pando::model {

enum class EntryKind : uint8_t {
  kCommand = 1,     // payload: a Command
  kMembership = 2,  // payload: the whole new Membership, in force from the moment it is appended
  kNoop = 3,        // a new leader's first entry; no payload
};

struct Entry {
  Revision index;
  Term term;
  EntryKind kind = EntryKind::kCommand;
  std::string payload;

  // What it weighs in queues and budgets.
  size_t bytes() const { return sizeof(Entry) + payload.size(); }
  friend bool operator==(const Entry&, const Entry&) = default;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_ENTRY_H_
