// A snapshot as bytes: the whole state at one revision, which verifies itself. The periodic
// snapshots of a data dir and backups are such bytes (docs/formats/snapshot.md).
//
//   header    magic, format, cluster, revision, term, digest, checksum
//   blocks    records bytes, records, checksum; then the records in key order
//   trailer   an empty block that holds the count of records, the size and a checksum
//
// The checksum of a block is seeded with that of what precedes it: the trailer's is one of all.
#ifndef PANDO_CODEC_SNAPSHOT_H_
#define PANDO_CODEC_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/ids.h"
#include "model/record.h"

namespace pando::codec {

inline constexpr size_t kSnapshotHeaderBytes = 56;
inline constexpr uint32_t kSnapshotFormat = 1;

struct SnapshotHeader {
  model::ClusterId cluster;
  model::StateMark mark;

  friend bool operator==(const SnapshotHeader&, const SnapshotHeader&) = default;
};

// False: no header of a snapshot. REQUIRES: kSnapshotHeaderBytes of them.
[[nodiscard]] bool DecodeSnapshotHeader(std::string_view bytes, SnapshotHeader* header);

class SnapshotEncoder {
 public:
  explicit SnapshotEncoder(const SnapshotHeader& header);
  // REQUIRES: keys strictly increase.
  void Add(std::string_view key, std::string_view value);
  // The end: nothing can be added any more.
  void Finish();

  // Whole blocks that are encoded and not yet taken.
  const std::string& encoded() const { return encoded_; }
  std::string Take();
  // Added so far.
  uint64_t bytes() const { return bytes_ + block_.size(); }

 private:
  void EncodeBlock();

  std::string encoded_;
  uint64_t bytes_ = 0;    // encoded, taken or not
  uint64_t chain_ = 0;    // checksum of all before the block
  uint64_t records_ = 0;  // in all blocks encoded
  std::string block_;
  uint32_t block_records_ = 0;
  std::string last_key_;
};

// Verifies bytes as they come, and gives their records, which are only good once Finish() returned
// OK. Holds one block at most. Messages of DATA_LOSS begin with the offset of what is damaged.
class SnapshotDecoder {
 public:
  using OnRecord = std::function<absl::Status(std::string_view key, std::string_view value)>;

  // `on_record` may be null.
  explicit SnapshotDecoder(OnRecord on_record) : on_record_(std::move(on_record)) {}

  // The next bytes, as many as there are. DATA_LOSS: damaged; an error of `on_record` comes back as
  // it is. After an error it can only be dropped.
  [[nodiscard]] absl::Status Feed(std::string_view bytes);
  // After the last. DATA_LOSS: something is missing.
  [[nodiscard]] absl::Status Finish() const;

  // Nothing before it has come.
  const std::optional<SnapshotHeader>& header() const { return header_; }
  uint64_t records() const { return records_; }
  uint64_t bytes() const { return offset_ + part_.size(); }

 private:
  enum class Part { kHeader, kBlockHeader, kBlock, kEnd };

  absl::Status TakePart();
  absl::Status TakeHeader();
  absl::Status TakeBlockHeader();
  absl::Status TakeBlock();
  absl::Status TakeRecords();
  bool TrailerHolds() const;
  absl::Status Damage(std::string_view what) const;

  const OnRecord on_record_;
  Part next_ = Part::kHeader;
  size_t wanted_ = kSnapshotHeaderBytes;  // bytes of that part
  std::string part_;                      // what has come of it
  uint64_t offset_ = 0;                   // where it starts
  uint64_t damage_at_ = 0;                // where the block of it starts

  std::optional<SnapshotHeader> header_;
  uint32_t block_records_ = 0;
  uint64_t block_checksum_ = 0;
  uint64_t chain_ = 0;
  uint64_t records_ = 0;
  std::string last_key_;
};

}  // namespace pando::codec

#endif  // PANDO_CODEC_SNAPSHOT_H_
