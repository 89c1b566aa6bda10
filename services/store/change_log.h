// ChangeLog: the newest changes, on disk, for watches that start in the past.
//
// Segments `changes/<sequence>`, each some blocks of one window or less (change_block.h). It is
// bounded by bytes and age; whole segments go, oldest first.
//
//   oldest()                              last()
//      |  segment 7  |  segment 8  |  9 ...  |      every change of [oldest, last] is in it
//
// The log is a cache of history. What is damaged in it, or missing, is forgotten together with all
// that is older, and said so in the log of events: a cursor below becomes COMPACTED, and no watch
// ever gets a wrong event or misses one. So damage here never keeps a server from starting.
//
// Append is called by the store thread only; Read by any one thread beside it.
#ifndef PANDO_STORE_CHANGE_LOG_H_
#define PANDO_STORE_CHANGE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/store.h"
#include "model/ids.h"
#include "store/change_block.h"

namespace pando::store {

struct ChangeLogOptions {
  // A window is appended before the oldest segments go: for that long there is more.
  uint64_t bytes_max = uint64_t{256} << 20;
  base::Duration age_max = std::chrono::hours(1);
  // Of the segments' headers, and what their age is counted by.
  std::function<base::WallTime()> wall_clock;
};

class ChangeLog {
 public:
  // An empty log in the new folder `dir`, for a state at revision `after`.
  static absl::StatusOr<std::unique_ptr<ChangeLog>> Create(io::Disk* disk, std::string dir,
                                                           model::Revision after,
                                                           ChangeLogOptions options);
  // Of a state at revision `stored`: what is above it is cut, because it will be applied again.
  static absl::StatusOr<std::unique_ptr<ChangeLog>> Open(io::Disk* disk, std::string dir,
                                                         model::Revision stored,
                                                         ChangeLogOptions options);

  // The changes of a window, synced. Nothing to do if it has them. RESOURCE_EXHAUSTED: the disk is
  // full and nothing of it holds; try again. Any other error: stop the process.
  [[nodiscard]] absl::Status Append(const std::vector<io::StoreWrite>& window)
      PANDO_EXCLUDES(mutex_);

  // The first revision whose changes are still here; above last() if there is none.
  model::Revision oldest() const PANDO_EXCLUDES(mutex_);
  model::Revision last() const PANDO_EXCLUDES(mutex_);
  uint64_t bytes() const PANDO_EXCLUDES(mutex_);
  // Since it was opened.
  uint64_t trimmed_segments() const PANDO_EXCLUDES(mutex_);

  struct Reading {
    model::Revision oldest = {};  // as oldest()
    // `batches` holds every change of [from, through]; `through` is below `from` for "none of it".
    model::Revision from;
    model::Revision through;
    ChangeBatches batches = {};
  };
  // Whole batches from `from` on: at least one if there is one, and at most `bytes_max` of them
  // unless the first is larger. None if `from` is below oldest().
  Reading Read(model::Revision from, size_t bytes_max) PANDO_EXCLUDES(mutex_);
  // The newest batches, at most `bytes_max` of them: what the window in memory starts with.
  Reading ReadTail(size_t bytes_max) PANDO_EXCLUDES(mutex_);

  // Verifies every block up to `stored` without changing anything. DATA_LOSS: file and offset.
  [[nodiscard]] static absl::Status Check(io::Disk* disk, const std::string& dir,
                                          model::Revision stored);

 private:
  // A place in a segment where a block starts, so that a reader need not hop over all before it.
  struct Place {
    model::Revision after;
    uint64_t offset = 0;
  };
  struct Segment {
    SegmentHeader header;
    uint64_t bytes = 0;              // of it that hold
    std::vector<Place> places = {};  // ascending; sparse, and perhaps not yet filled
  };
  using Segments = std::deque<Segment>;
  class BlockReader;

  ChangeLog(io::Disk* disk, std::string dir, ChangeLogOptions options);
  uint64_t segment_bytes() const;
  // A segment made at `created` has been open, or shut, for age_max / parts.
  bool IsOld(base::WallTime created, int64_t parts) const;

  // Open, in steps.
  absl::Status Load(model::Revision stored) PANDO_EXCLUDES(mutex_);
  absl::StatusOr<Segments> ListSegments() const;
  absl::Status StartAnew(uint64_t sequence, model::Revision after) PANDO_EXCLUDES(mutex_);
  // Makes the files what `segments` says, and opens the newest.
  absl::Status Repair(const Segments& segments);

  // Append, in steps; `segments` is what they will be.
  absl::Status CreateSegment(const SegmentHeader& header, Segments* segments);
  absl::Status AppendBlocks(const std::vector<io::StoreWrite>& window, model::Revision after,
                            Segments* segments);
  absl::Status AppendBlock(model::Revision after, model::Revision last,
                           const ChangeBatches& batches, Segments* segments);
  void Trim() PANDO_EXCLUDES(mutex_);

  // The segment that has the changes from `from` on, and the last revision that it has.
  bool FindSegment(model::Revision from, Segment* segment, model::Revision* end) const
      PANDO_EXCLUDES(mutex_);
  // Adds to `reading` what `segment` has above reading->through; true: the limit was reached.
  absl::StatusOr<bool> ReadSegment(Segment* segment, model::Revision end, size_t bytes_max,
                                   Reading* reading) const;
  void KeepPlaces(Segment segment) PANDO_EXCLUDES(mutex_);
  static absl::Status CheckSegment(io::Disk* disk, const std::string& dir,
                                   const SegmentHeader& header, model::Revision end);
  void Forget(const Segment& damaged, const absl::Status& why) PANDO_EXCLUDES(mutex_);
  model::Revision OldestLocked() const PANDO_REQUIRES(mutex_);

  io::Disk* const disk_;
  const std::string dir_;
  const ChangeLogOptions options_;
  // The store thread's: the newest segment, open for appending.
  std::unique_ptr<io::File> file_;
  bool must_repair_ = false;

  mutable base::Mutex mutex_;
  Segments segments_ PANDO_GUARDED_BY(mutex_);  // oldest first; never empty
  model::Revision last_ PANDO_GUARDED_BY(mutex_);
  uint64_t trimmed_segments_ PANDO_GUARDED_BY(mutex_) = 0;
  // Changes up to here are not given out any more: damage was found among them.
  model::Revision forgotten_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::store

#endif  // PANDO_STORE_CHANGE_LOG_H_
