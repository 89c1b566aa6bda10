#include "wal/recovery.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::wal {
namespace {

constexpr size_t kZerosBytes = model::kMiB;

absl::StatusOr<std::vector<SegmentName>> ListSegments(io::Disk* disk, const std::string& dir) {
  std::vector<SegmentName> names;
  const absl::StatusOr<std::vector<std::string>> files = disk->List(dir);
  if (absl::IsNotFound(files.status())) return names;
  if (!files.ok()) return files.status();
  for (const std::string& file : *files) {
    if (const std::optional<SegmentName> name = SegmentName::Parse(file)) names.push_back(*name);
  }
  std::sort(names.begin(), names.end(),
            [](const SegmentName& a, const SegmentName& b) { return a.first < b.first; });
  return names;
}

// Does again, batch by batch, what the log was told to do.
class Replayer {
 public:
  Replayer(model::Revision keep_from, size_t tail_bytes_max)
      : keep_from_(keep_from), tail_bytes_max_(tail_bytes_max) {}

  // Empty, or what is wrong with the batch.
  std::string_view Apply(BatchPlace place, std::string_view body);
  Replayed Take() && { return std::move(out_); }
  Replayed* out() { return &out_; }

 private:
  std::string_view Obey(const Head& head);
  std::string_view Obey(const HardState& state);
  std::string_view Obey(const EntriesView& entries);
  std::string_view Obey(const ResetTo& reset);
  std::string_view Obey(const model::Formation& formation);
  void CutEntriesAfter(model::Revision index);
  void PopFrontEntry();
  void Trim();

  const model::Revision keep_from_;
  const size_t tail_bytes_max_;
  Replayed out_;
  BatchPlace place_;
  bool seen_head_ = false;
  size_t tail_bytes_ = 0;  // of the entries below keep_from_
};

std::string_view Replayer::Apply(BatchPlace place, std::string_view body) {
  const std::optional<std::vector<Record>> records = DecodeBody(body);
  if (!records || records->empty()) return "cannot be read: of a later version?";
  place_ = place;
  for (size_t i = 0; i < records->size(); ++i) {
    const bool head_due = place.offset == 0 && i == 0;
    if (std::holds_alternative<Head>((*records)[i]) != head_due) return "has a misplaced head";
    const std::string_view wrong =
        std::visit([this](const auto& record) { return Obey(record); }, (*records)[i]);
    if (!wrong.empty()) return wrong;
  }
  Trim();
  return {};
}

std::string_view Replayer::Obey(const Head& head) {
  if (!seen_head_) {
    // What came before was dropped.
    seen_head_ = true;
    out_.state = head.state;
    out_.contents.Reset(head.last);
  }
  if (head.state != out_.state || head.last != out_.contents.last()) {
    return "does not follow from the segment before it";
  }
  return {};
}

std::string_view Replayer::Obey(const HardState& state) {
  if (state.start < out_.state.start) return "has a start count that goes back";
  out_.state = state;
  return {};
}

std::string_view Replayer::Obey(const EntriesView& entries) {
  Contents& contents = out_.contents;
  // Older than previous(): the segments with what was cut here are gone.
  if (entries.previous.index >= contents.previous().index &&
      contents.TermAt(entries.previous.index) != entries.previous.term) {
    return "does not follow from the entries before it";
  }
  CutEntriesAfter(entries.previous.index);
  contents.CutAfter(entries.previous);
  for (const EntriesView::Item& item : entries.items) {
    contents.Push(place_, item.term);
    model::Entry& entry = out_.entries.emplace_back();
    entry.index = contents.last().index;
    entry.term = item.term;
    entry.kind = item.kind;
    entry.payload = item.payload;
    if (entry.index < keep_from_) tail_bytes_ += entry.bytes();
  }
  return {};
}

std::string_view Replayer::Obey(const ResetTo& reset) {
  Contents& contents = out_.contents;
  if (!reset.keeps_suffix) {
    CutEntriesAfter(model::Revision());
    contents.Reset(reset.last);
    return {};
  }
  // Below previous(): the segments with what was dropped here are gone already.
  if (reset.last.index < contents.previous().index) return {};
  if (contents.TermAt(reset.last.index) != reset.last.term) {
    return "keeps entries that are not there";
  }
  contents.DropUpTo(reset.last.index);
  while (!out_.entries.empty() && out_.entries.front().index <= reset.last.index) PopFrontEntry();
  return {};
}

std::string_view Replayer::Obey(const model::Formation& formation) {
  out_.formation = formation;
  return {};
}

void Replayer::CutEntriesAfter(model::Revision index) {
  std::deque<model::Entry>& entries = out_.entries;
  while (!entries.empty() && entries.back().index > index) {
    if (entries.back().index < keep_from_) tail_bytes_ -= entries.back().bytes();
    entries.pop_back();
  }
}

void Replayer::PopFrontEntry() {
  const model::Entry& front = out_.entries.front();
  if (front.index < keep_from_) tail_bytes_ -= front.bytes();
  out_.entries.pop_front();
}

void Replayer::Trim() {
  while (tail_bytes_ > tail_bytes_max_) PopFrontEntry();
}

absl::Status Damage(const std::string& path, uint64_t offset, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat(path, ": the batch at offset ", offset, " ", base::View(what)));
}

// The batches of `segment` up to `end` (none: it is the last segment).
absl::Status ReplaySegment(io::Disk* disk, const std::string& path, std::optional<BatchNumber> end,
                           Segment* segment, Replayer* replayer) {
  const absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  SegmentReader reader(segment->name, file->get());
  while (reader.next_number() != end) {
    const absl::StatusOr<std::optional<SegmentReader::Batch>> batch = reader.Next();
    if (!batch.ok()) return base::Annotate(batch.status(), path);
    if (!*batch) break;
    const BatchPlace place{.segment = segment->name.first, .offset = (*batch)->offset};
    const std::string_view wrong = replayer->Apply(place, (*batch)->body);
    if (!wrong.empty()) return Damage(path, place.offset, wrong);
  }
  segment->bytes = reader.offset();
  replayer->out()->next = reader.next_number();
  if (end) {
    if (reader.next_number() == *end) return absl::OkStatus();
    return Damage(path, reader.offset(), "is broken, and a later segment exists");
  }

  const absl::StatusOr<std::optional<uint64_t>> later = reader.FindLaterBatch();
  if (!later.ok()) return base::Annotate(later.status(), path);
  if (*later) {
    return Damage(path, reader.offset(),
                  absl::StrCat("is broken, and a later one is at offset ", **later));
  }
  const absl::StatusOr<SegmentReader::Range> remains = reader.FindRemains();
  if (!remains.ok()) return base::Annotate(remains.status(), path);
  replayer->out()->remains = *remains;
  replayer->out()->torn = reader.torn();
  return absl::OkStatus();
}

absl::Status Zero(io::File* file, SegmentReader::Range range) {
  const std::string zeros(std::min<uint64_t>(kZerosBytes, range.end - range.first), '\0');
  for (uint64_t at = range.first; at < range.end; at += zeros.size()) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(zeros.size(), range.end - at));
    PANDO_RETURN_IF_ERROR(file->WriteAt(at, std::string_view(zeros).substr(0, size)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Replayed> Replay(io::Disk* disk, const std::string& dir, model::Revision keep_from,
                                size_t tail_bytes_max) {
  const absl::StatusOr<std::vector<SegmentName>> names = ListSegments(disk, dir);
  if (!names.ok()) return names.status();
  Replayer replayer(keep_from, tail_bytes_max);
  for (size_t i = 0; i < names->size(); ++i) {
    const bool is_last = i + 1 == names->size();
    const std::optional<BatchNumber> end =
        is_last ? std::nullopt : std::optional((*names)[i + 1].first);
    Segment segment{.name = (*names)[i]};
    const std::string path = absl::StrCat(dir, "/", segment.name.ToString());
    PANDO_RETURN_IF_ERROR(ReplaySegment(disk, path, end, &segment, &replayer));
    // Only the very first batch of a log may be missing: a segment is not dropped before the next
    // one has its head.
    if (i == 0 && segment.bytes == 0 && segment.name.first != BatchNumber(1)) {
      return Damage(path, 0, "is broken, and nothing is before it");
    }
    replayer.out()->segments.push_back(segment);
  }
  return std::move(replayer).Take();
}

absl::Status Settle(io::Disk* disk, const std::string& dir, const Replayed& replayed) {
  for (const Segment& segment : replayed.segments) {
    const std::string path = absl::StrCat(dir, "/", segment.name.ToString());
    const absl::StatusOr<std::unique_ptr<io::File>> file =
        disk->Open(path, io::OpenMode::kReadWrite);
    if (!file.ok()) return file.status();
    if (segment.name == replayed.segments.back().name) {
      PANDO_RETURN_IF_ERROR(base::Annotate(Zero(file->get(), replayed.remains), path));
    }
    PANDO_RETURN_IF_ERROR(base::Annotate((*file)->Sync(), path));
  }
  return disk->SyncDir(dir);
}

}  // namespace pando::wal
