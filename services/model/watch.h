// What a watch stream asks for, and what it gets.
#ifndef PANDO_MODEL_WATCH_H_
#define PANDO_MODEL_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/inlined_vector.h"
#include "model/change.h"
#include "model/ids.h"

namespace pando::model {

struct WatchTarget {
  enum class Kind : uint8_t { kNode = 1, kChildren = 2, kSubtree = 3 };
  std::string path;
  Kind kind = Kind::kNode;
  bool with_data = false;
  bool once = false;  // the first event that matches it ends the target
};

// One message for a stream: some changes of one revision, or a progress mark (batch is null).
struct StreamBatch {
  struct Selected {
    uint32_t change = 0;  // index into batch->changes
    bool with_data = false;
  };
  // Most streams have one change of a revision: it needs no memory of its own.
  using Selection = absl::InlinedVector<Selected, 2>;
  // All events of the stream up to this one, inclusive, come with it or came before it.
  Revision revision;
  std::shared_ptr<const ChangeBatch> batch;
  Selection selected;
  size_t bytes() const;
};

}  // namespace pando::model

#endif  // PANDO_MODEL_WATCH_H_
