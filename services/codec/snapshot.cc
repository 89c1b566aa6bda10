#include "codec/snapshot.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/wire.h"

namespace pando::codec {
namespace {

constexpr uint64_t kMagic = 0x3130504e53444e50;  // "PNDSNP01"
constexpr size_t kBlockHeaderBytes = 16;
constexpr size_t kBlockBytesAim = size_t{256} << 10;
// Two records of the largest size, and no damaged length makes a reader take more.
constexpr size_t kBlockBytesMax = size_t{64} << 20;
constexpr size_t kTrailerBytes = kBlockHeaderBytes + 24;

// The checksum covers the lengths too.
uint64_t BlockChecksum(uint64_t before, uint32_t records, std::string_view body) {
  std::string lengths;
  base::Writer writer(&lengths);
  writer.Fixed32(static_cast<uint32_t>(body.size()));
  writer.Fixed32(records);
  return base::Hash64(body, base::Hash64(lengths, before));
}

}  // namespace

bool DecodeSnapshotHeader(std::string_view bytes, SnapshotHeader* header) {
  CHECK(bytes.size() == kSnapshotHeaderBytes);
  base::Reader reader(bytes);
  const uint64_t magic = reader.Fixed64();
  const uint32_t format = reader.Fixed32();
  const uint32_t zero = reader.Fixed32();
  header->cluster = model::ClusterId(reader.Fixed64());
  header->mark.revision = model::Revision(reader.Fixed64());
  header->mark.term = model::Term(reader.Fixed64());
  header->mark.digest = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  return reader.done() && magic == kMagic && format == kSnapshotFormat && zero == 0 &&
         checksum == base::Hash64(bytes.substr(0, bytes.size() - sizeof(checksum)));
}

// --- Encoding ---------------------------------------------------------------------------------

SnapshotEncoder::SnapshotEncoder(const SnapshotHeader& header) {
  base::Writer writer(&encoded_);
  writer.Fixed64(kMagic);
  writer.Fixed32(kSnapshotFormat);
  writer.Fixed32(0);
  writer.Fixed64(header.cluster.value());
  writer.Fixed64(header.mark.revision.value());
  writer.Fixed64(header.mark.term.value());
  writer.Fixed64(header.mark.digest);
  writer.Fixed64(base::Hash64(encoded_));
  CHECK(encoded_.size() == kSnapshotHeaderBytes);
  chain_ = base::Hash64(encoded_);
  bytes_ = encoded_.size();
}

void SnapshotEncoder::Add(std::string_view key, std::string_view value) {
  CHECK(key > last_key_);
  base::Writer writer(&block_);
  writer.Bytes(key);
  writer.Bytes(value);
  ++block_records_;
  last_key_ = key;
  if (block_.size() >= kBlockBytesAim) EncodeBlock();
}

void SnapshotEncoder::Finish() {
  if (block_records_ > 0) EncodeBlock();
  base::Writer writer(&block_);
  writer.Fixed64(records_);
  writer.Fixed64(bytes_ + kTrailerBytes);
  writer.Fixed64(chain_);
  EncodeBlock();
}

std::string SnapshotEncoder::Take() { return std::exchange(encoded_, {}); }

void SnapshotEncoder::EncodeBlock() {
  CHECK(block_.size() <= kBlockBytesMax);
  const size_t before = encoded_.size();
  chain_ = BlockChecksum(chain_, block_records_, block_);
  base::Writer writer(&encoded_);
  writer.Fixed32(static_cast<uint32_t>(block_.size()));
  writer.Fixed32(block_records_);
  writer.Fixed64(chain_);
  writer.Raw(block_);
  bytes_ += encoded_.size() - before;
  records_ += block_records_;
  block_records_ = 0;
  block_.clear();
}

// --- Decoding ---------------------------------------------------------------------------------

absl::Status SnapshotDecoder::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (next_ == Part::kEnd) return Damage("it goes on after its end");
    const size_t size = std::min(wanted_ - part_.size(), bytes.size());
    part_ += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (part_.size() == wanted_) PANDO_RETURN_IF_ERROR(TakePart());
  }
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::Finish() const {
  return next_ == Part::kEnd ? absl::OkStatus() : Damage("it ends early");
}

absl::Status SnapshotDecoder::TakePart() {
  switch (next_) {
    case Part::kHeader:
      PANDO_RETURN_IF_ERROR(TakeHeader());
      break;
    case Part::kBlockHeader:
      PANDO_RETURN_IF_ERROR(TakeBlockHeader());
      break;
    case Part::kBlock:
      PANDO_RETURN_IF_ERROR(TakeBlock());
      break;
    case Part::kEnd:
      CHECK(false);
  }
  offset_ += part_.size();
  part_.clear();
  if (next_ != Part::kBlock) damage_at_ = offset_;
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::TakeHeader() {
  SnapshotHeader header;
  if (!DecodeSnapshotHeader(part_, &header)) return Damage("no header of a snapshot");
  header_ = header;
  chain_ = base::Hash64(part_);
  next_ = Part::kBlockHeader;
  wanted_ = kBlockHeaderBytes;
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::TakeBlockHeader() {
  base::Reader reader(part_);
  wanted_ = reader.Fixed32();
  block_records_ = reader.Fixed32();
  block_checksum_ = reader.Fixed64();
  CHECK(reader.done());
  if (wanted_ == 0 || wanted_ > kBlockBytesMax) return Damage("no block header");
  next_ = Part::kBlock;
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::TakeBlock() {
  if (block_checksum_ != BlockChecksum(chain_, block_records_, part_)) {
    return Damage("the block is damaged");
  }
  if (block_records_ == 0) {
    if (!TrailerHolds()) return Damage("the trailer does not fit the rest");
    next_ = Part::kEnd;
    return absl::OkStatus();
  }
  PANDO_RETURN_IF_ERROR(TakeRecords());
  chain_ = block_checksum_;
  next_ = Part::kBlockHeader;
  wanted_ = kBlockHeaderBytes;
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::TakeRecords() {
  base::Reader reader(part_);
  for (uint32_t i = 0; i < block_records_; ++i) {
    const std::string_view key = reader.Bytes();
    const std::string_view value = reader.Bytes();
    if (!reader.ok() || key <= last_key_) return Damage("a record is out of order");
    if (on_record_) PANDO_RETURN_IF_ERROR(on_record_(key, value));
    last_key_ = key;
    ++records_;
  }
  return reader.done() ? absl::OkStatus() : Damage("a block holds more than its records");
}

bool SnapshotDecoder::TrailerHolds() const {
  base::Reader reader(part_);
  const uint64_t records = reader.Fixed64();
  const uint64_t size = reader.Fixed64();
  const uint64_t chain = reader.Fixed64();
  return reader.done() && records == records_ && size == offset_ + part_.size() && chain == chain_;
}

absl::Status SnapshotDecoder::Damage(std::string_view what) const {
  return absl::DataLossError(absl::StrCat(damage_at_, ": ", base::View(what)));
}

}  // namespace pando::codec
