// SegmentReader: the batches of one segment, in order, and where they end.
//
// Reads ahead in pieces of a fixed size: memory is bounded by that and the largest batch. Owned by
// one thread; reads only.
#ifndef PANDO_WAL_SEGMENT_H_
#define PANDO_WAL_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/disk.h"
#include "wal/format.h"

namespace pando::wal {

class SegmentReader {
 public:
  struct Batch {
    uint64_t offset = 0;
    BatchNumber number;
    std::string_view body;  // until the next call
  };

  // `file` outlives it and is not written meanwhile.
  SegmentReader(SegmentName name, io::File* file);

  // The batch at offset(), and moves behind it. None: whatever is at offset() is not the batch
  // next_number(), whole; then the segment ends here or is damaged here.
  absl::StatusOr<std::optional<Batch>> Next();
  // Next() gave none although the batch's header is there: its body is torn, or rotten.
  bool torn() const { return torn_; }
  // Where, from offset() on, the header of a batch later than next_number() is. None: what is at
  // offset() is the end, or a torn batch that was never synced. REQUIRES: Next() gave none.
  absl::StatusOr<std::optional<uint64_t>> FindLaterBatch();
  // The bytes from offset() on that are not zero: [first, end). Empty: there are none.
  struct Range {
    uint64_t first = 0;
    uint64_t end = 0;
  };
  absl::StatusOr<Range> FindRemains();

  uint64_t offset() const { return offset_; }
  BatchNumber next_number() const { return next_; }

 private:
  // `size` bytes at `offset`, fewer only at the end of the file; until the next call.
  absl::StatusOr<std::string_view> View(uint64_t offset, size_t size);

  const SegmentName name_;
  io::File* const file_;
  uint64_t offset_ = 0;
  BatchNumber next_;
  bool torn_ = false;
  uint64_t ahead_offset_ = 0;
  std::string ahead_;
};

// Reads and verifies the one batch at `offset`; DATA_LOSS if it is not what was written there.
absl::StatusOr<std::string> ReadBatchBody(io::File* file, SegmentId id, uint64_t offset);

}  // namespace pando::wal

#endif  // PANDO_WAL_SEGMENT_H_
