// Recovery: what a WAL dir holds, and making it true for good.
//
// Replay() only reads. It tells a torn tail, which is what a crash leaves of a batch that was never
// acknowledged, from damage, which is everything else:
//
//   whole, whole, broken, nothing more of this segment      the last segment: a torn tail
//   whole, whole, broken, whole                             damage: batch n+1 is never written
//                                                           before n is synced
//   whole, whole, broken; and a later segment exists        damage, for the same reason
//   whole, whole, whole;  and a later segment begins        the third was torn when the disk was
//                         with the number of the third      full, and written again over there
//
// Rot in the very last batch looks like a torn tail and cannot be told from one (docs/formats).
#ifndef PANDO_WAL_RECOVERY_H_
#define PANDO_WAL_RECOVERY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "model/entry.h"
#include "model/formation.h"
#include "model/ids.h"
#include "wal/contents.h"
#include "wal/format.h"
#include "wal/segment.h"

namespace pando::wal {

struct Segment {
  SegmentName name;
  uint64_t bytes = 0;  // of its batches; the file may be longer
};

struct Replayed {
  HardState state;
  std::optional<model::Formation> formation;
  Contents contents;
  // The newest entries of `contents`, up to its last: all from `keep_from` on, and of those below
  // it the newest ones within the budget.
  std::deque<model::Entry> entries;
  std::vector<Segment> segments;
  BatchNumber next{1};
  // Of the last segment: what is not zero behind its last batch, and whether that begins with a
  // torn batch or is only what an older use of the file left.
  SegmentReader::Range remains;
  bool torn = false;
};

// DATA_LOSS: damage; the message names file and offset. A dir that is not there or empty is an
// empty log.
absl::StatusOr<Replayed> Replay(io::Disk* disk, const std::string& dir, model::Revision keep_from,
                                size_t tail_bytes_max);

// Zeroes what lies behind the last batch and syncs everything that was read, folder included: what
// was replayed may have been in the page cache only, and is about to be promised.
[[nodiscard]] absl::Status Settle(io::Disk* disk, const std::string& dir, const Replayed& replayed);

}  // namespace pando::wal

#endif  // PANDO_WAL_RECOVERY_H_
