#include "cli/snapshot_check.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/files.h"
#include "codec/record.h"

namespace pando::cli {

SnapshotCheck::SnapshotCheck(std::string name)
    : name_(std::move(name)), decoder_([this](std::string_view key, std::string_view value) {
        Count(key, value);
        return absl::OkStatus();
      }) {}

absl::Status SnapshotCheck::Feed(std::string_view bytes) { return Named(decoder_.Feed(bytes)); }

absl::StatusOr<SnapshotFacts> SnapshotCheck::Finish() {
  if (absl::Status whole = Named(decoder_.Finish()); !whole.ok()) return whole;
  facts_.header = *decoder_.header();
  facts_.records = decoder_.records();
  facts_.bytes = decoder_.bytes();
  if (digest_ != facts_.header.mark.digest) {
    return absl::DataLossError(absl::StrCat(
        name_, " is no good backup: its records are not those of revision ",
        facts_.header.mark.revision.value(), "; the server that made it had a damaged state"));
  }
  return facts_;
}

void SnapshotCheck::Count(std::string_view key, std::string_view value) {
  digest_ += codec::RecordDigest(key, value);
  if (key == codec::ScalarKey(codec::kStampScalar)) {
    uint64_t ms = 0;
    if (codec::DecodeNumber(value, &ms)) facts_.time.ms = static_cast<int64_t>(ms);
  } else if (codec::ParseSessionKey(key)) {
    ++facts_.sessions;
  } else if (const std::optional<codec::NodeName> name = codec::ParseNodeKey(key)) {
    if (!name->directory) ++facts_.nodes;
  }
}

absl::Status SnapshotCheck::Named(const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::DataLossError(
      absl::StrCat(name_, " is no whole backup: at byte ", status.message(), "; take another one"));
}

absl::StatusOr<SnapshotFacts> CheckSnapshotFile(const std::string& path) {
  SnapshotCheck check(path == "-" ? "the standard input" : path);
  absl::Status read = ReadInParts(path, [&](std::string_view bytes) { return check.Feed(bytes); });
  if (!read.ok()) return read;
  return check.Finish();
}

}  // namespace pando::cli
