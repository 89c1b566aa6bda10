// The WAL's bytes (docs/formats/wal.md). Pure functions; what decodes takes bytes from anywhere.
//
//   segment   batch, batch, …; whatever follows the last one is no batch
//   batch     header, body, padding to the next 4 KiB boundary
//   body      record, record, …; the first record of a segment is its Head, and the formation
//             follows it if there is one
//
//   header    0        8          16       24       32          40             48
//             | magic  | segment  | number | body   | body      | checksum     |
//             |        | id       |        | bytes  | checksum  | of bytes 0-39|
//
// Batch numbers count over all segments for the whole life of a log: 1, 2, 3, …
#ifndef PANDO_WAL_FORMAT_H_
#define PANDO_WAL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "model/entry.h"
#include "model/formation.h"
#include "model/ids.h"
#include "model/limits.h"
#include "raft/message.h"

namespace pando::wal {

// Random, of one use of one file: what an earlier use left in it is of another series.
using SegmentId = base::Strong<struct SegmentIdTag>;
using BatchNumber = base::Strong<struct BatchNumberTag>;

inline constexpr size_t kHeaderBytes = 48;
inline constexpr uint64_t kFormat = 1;
static_assert(kHeaderBytes < model::kWalBlockBytes, "a header lies in one block");

// A segment's file is named by what its first batch must be, so that the end of the segment before
// it is known even when that first batch was never written.
struct SegmentName {
  BatchNumber first;
  SegmentId id;

  // "<first>-<id>.wal", 16 hexadecimal digits each: names sort by batch number.
  std::string ToString() const;
  static std::optional<SegmentName> Parse(std::string_view name);
  friend bool operator==(const SegmentName&, const SegmentName&) = default;
};

struct BatchHeader {
  SegmentId segment;
  BatchNumber number;
  uint64_t body_bytes = 0;
  uint64_t body_checksum = 0;

  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

// Exactly kHeaderBytes.
std::string EncodeHeader(const BatchHeader& header);
// Reads the first kHeaderBytes of `block`. None: these are not the bytes of a header.
std::optional<BatchHeader> DecodeHeader(std::string_view block);

// What a batch takes of its segment: header, body and padding.
constexpr uint64_t BatchBytes(uint64_t body_bytes) {
  constexpr uint64_t block = model::kWalBlockBytes;
  return (kHeaderBytes + body_bytes + block - 1) / block * block;
}

// --- Records ----------------------------------------------------------------------------------

// A place in the replicated log: an entry's index and its term. Zero: before the first entry.
struct Position {
  model::Revision index;
  model::Term term;

  friend bool operator==(const Position&, const Position&) = default;
};

// What must never go back. Written whole whenever any of it changes.
struct HardState {
  model::StartCount start;
  model::Term term;
  model::ServerId vote;

  friend bool operator==(const HardState&, const HardState&) = default;
};

// Makes a segment readable without those before it.
struct Head {
  HardState state;
  Position last;  // the newest entry that was in the log when the segment began
};

// Entries right after `previous`. Those that were there after it are cut.
struct EntriesView {
  struct Item {
    model::Term term;
    model::EntryKind kind = model::EntryKind::kCommand;
    std::string_view payload;  // of the body that was decoded
  };
  Position previous;
  std::vector<Item> items;
};

// The log begins anew after `last`. With `keeps_suffix` it held that entry, and those after it
// stay.
struct ResetTo {
  Position last;
  bool keeps_suffix = false;
};

// The formation is a record too: the newest holds, whole.
using Record = std::variant<Head, HardState, EntriesView, ResetTo, model::Formation>;

void AppendRecord(const Head& head, std::string* body);
void AppendRecord(const HardState& state, std::string* body);
void AppendRecord(const ResetTo& reset, std::string* body);
void AppendRecord(const model::Formation& formation, std::string* body);
// REQUIRES: `entries` are contiguous and start right after `previous`.
void AppendRecord(Position previous, std::span<const raft::EntryRef> entries, std::string* body);

// No more bytes of a body than this are one entry, or the frame of one record. A formation has no
// bound but those of its members.
constexpr size_t EntryBytesMax(const model::Entry& entry) { return entry.payload.size() + 21; }
inline constexpr size_t kRecordBytesMax = 64;

// Everything that the body holds, in order; views into `body`. None: no encoder made these bytes,
// or one of a later format than kFormat.
std::optional<std::vector<Record>> DecodeBody(std::string_view body);

}  // namespace pando::wal

#endif  // PANDO_WAL_FORMAT_H_
