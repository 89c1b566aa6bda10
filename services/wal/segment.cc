#include "wal/segment.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "model/limits.h"

namespace pando::wal {
namespace {

constexpr size_t kAheadBytes = 256 * model::kKiB;
static_assert(kAheadBytes % model::kWalBlockBytes == 0);

}  // namespace

SegmentReader::SegmentReader(SegmentName name, io::File* file)
    : name_(name), file_(file), next_(name.first) {}

absl::StatusOr<std::optional<SegmentReader::Batch>> SegmentReader::Next() {
  torn_ = false;
  const absl::StatusOr<std::string_view> head = View(offset_, kHeaderBytes);
  if (!head.ok()) return head.status();
  const std::optional<BatchHeader> header = DecodeHeader(*head);
  if (!header || header->segment != name_.id || header->number != next_) return std::nullopt;

  torn_ = true;
  const absl::StatusOr<uint64_t> file_bytes = file_->Size();
  if (!file_bytes.ok()) return file_bytes.status();
  // Before memory is reserved for it. The padding may be missing: it says nothing.
  const uint64_t rest = *file_bytes - offset_;
  if (rest < kHeaderBytes || header->body_bytes > rest - kHeaderBytes) return std::nullopt;
  const absl::StatusOr<std::string_view> body =
      View(offset_ + kHeaderBytes, static_cast<size_t>(header->body_bytes));
  if (!body.ok()) return body.status();
  if (body->size() != header->body_bytes) return std::nullopt;
  if (base::Hash64(*body) != header->body_checksum) return std::nullopt;

  torn_ = false;
  const Batch batch{.offset = offset_, .number = next_, .body = *body};
  offset_ += BatchBytes(header->body_bytes);
  ++next_;
  return batch;
}

absl::StatusOr<std::optional<uint64_t>> SegmentReader::FindLaterBatch() {
  for (uint64_t at = offset_;; at += model::kWalBlockBytes) {
    const absl::StatusOr<std::string_view> bytes = View(at, kHeaderBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes->size() < kHeaderBytes) return std::nullopt;
    const std::optional<BatchHeader> header = DecodeHeader(*bytes);
    if (header && header->segment == name_.id && header->number > next_) return at;
  }
}

absl::StatusOr<SegmentReader::Range> SegmentReader::FindRemains() {
  Range remains;
  for (uint64_t at = offset_;;) {
    const absl::StatusOr<std::string_view> piece = View(at, kAheadBytes);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) return remains;
    constexpr std::string_view zero("\0", 1);
    const size_t first = piece->find_first_not_of(zero);
    if (first != std::string_view::npos) {
      if (remains.end == 0) remains.first = at + first;
      remains.end = at + piece->find_last_not_of(zero) + 1;
    }
    at += piece->size();
  }
}

absl::StatusOr<std::string_view> SegmentReader::View(uint64_t offset, size_t size) {
  const bool ahead = offset >= ahead_offset_ && offset - ahead_offset_ <= ahead_.size() &&
                     size <= ahead_.size() - (offset - ahead_offset_);
  if (!ahead) {
    ahead_.clear();
    ahead_offset_ = offset;
    PANDO_RETURN_IF_ERROR(file_->ReadAt(offset, std::max(size, kAheadBytes), &ahead_));
  }
  return std::string_view(ahead_).substr(static_cast<size_t>(offset - ahead_offset_), size);
}

absl::StatusOr<std::string> ReadBatchBody(io::File* file, SegmentId id, uint64_t offset) {
  std::string bytes;
  PANDO_RETURN_IF_ERROR(file->ReadAt(offset, kHeaderBytes, &bytes));
  const std::optional<BatchHeader> header = DecodeHeader(bytes);
  if (!header || header->segment != id) {
    return absl::DataLossError(absl::StrCat("the batch's header at offset ", offset, " is broken"));
  }
  std::string body;
  PANDO_RETURN_IF_ERROR(
      file->ReadAt(offset + kHeaderBytes, static_cast<size_t>(header->body_bytes), &body));
  if (body.size() != header->body_bytes || base::Hash64(body) != header->body_checksum) {
    return absl::DataLossError(absl::StrCat("the batch at offset ", offset, " is broken"));
  }
  return body;
}

}  // namespace pando::wal
