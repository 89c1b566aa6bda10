// The bytes of the change log (docs/formats/change-log.md): a segment is a header and then blocks.
//
//   segment header   magic, format, sequence, after, created_ms, checksum
//   block header     magic, body bytes, after, last, body checksum, checksum
//   body             the batches of revisions in (after, last], then the ACLs that they refer to
//
// A block follows the one whose `last` is its `after`: what is missing shows, not only what is
// damaged. Checksums are seeded with the segment's sequence number. Pure: bytes in, bytes out.
#ifndef PANDO_STORE_CHANGE_BLOCK_H_
#define PANDO_STORE_CHANGE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "model/change.h"
#include "model/ids.h"

namespace pando::store {

inline constexpr size_t kSegmentHeaderBytes = 48;
inline constexpr size_t kBlockHeaderBytes = 40;

using ChangeBatches = std::vector<std::shared_ptr<const model::ChangeBatch>>;

struct SegmentHeader {
  uint64_t sequence = 0;  // consecutive, also in the file's name
  model::Revision after;  // the segment holds the changes of the revisions above it
  base::WallTime created;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};
std::string EncodeSegmentHeader(const SegmentHeader& header);
// False for anything but such a header of `sequence`.
bool DecodeSegmentHeader(std::string_view bytes, uint64_t sequence, SegmentHeader* header);

struct BlockHeader {
  size_t body_bytes = 0;
  model::Revision after;
  model::Revision last;
  uint64_t body_checksum = 0;
};
bool DecodeBlockHeader(std::string_view bytes, uint64_t sequence, BlockHeader* header);

// A whole block, header and body. REQUIRES: batches' revisions strictly increase in (after, last].
std::string EncodeBlock(uint64_t sequence, model::Revision after, model::Revision last,
                        const ChangeBatches& batches);
// Appends the batches of revision >= `from` to `*batches`. False: the body is not what `header`
// says, or its batches break the order; then nothing is appended.
bool DecodeBlockBody(std::string_view body, uint64_t sequence, const BlockHeader& header,
                     model::Revision from, ChangeBatches* batches);

}  // namespace pando::store

#endif  // PANDO_STORE_CHANGE_BLOCK_H_
