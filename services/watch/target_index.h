// TargetIndex: from a change to the targets that it concerns, so that publishing costs per target
// that matches, not per stream.
//
// Owned by Streams; core thread only.
#ifndef PANDO_WATCH_TARGET_INDEX_H_
#define PANDO_WATCH_TARGET_INDEX_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "model/change.h"
#include "model/ids.h"
#include "model/watch.h"

namespace pando::watch {

struct Stream;

class TargetIndex {
 public:
  struct Place {
    model::StreamId stream;
    uint32_t target = 0;  // index into the stream's targets
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  // By stream, then by target: the order in which streams are written must not hang on addresses.
  using Targets = absl::btree_map<Place, Stream*>;

  // REQUIRES: not there yet.
  void Insert(const model::WatchTarget& target, Place place, Stream* stream);
  // REQUIRES: there.
  void Erase(const model::WatchTarget& target, Place place);

  // All targets that `change` concerns, in a few lists; a target is in one of them only. They
  // remain valid until the next Insert or Erase.
  void Find(const model::Change& change, std::vector<const Targets*>* found) const;

 private:
  using ByPath = absl::flat_hash_map<std::string, Targets>;

  ByPath& OfKind(model::WatchTarget::Kind kind);
  static void FindAt(const ByPath& by_path, std::string_view path,
                     std::vector<const Targets*>* found);

  ByPath nodes_;
  ByPath children_;
  ByPath subtrees_;
};

}  // namespace pando::watch

#endif  // PANDO_WATCH_TARGET_INDEX_H_
