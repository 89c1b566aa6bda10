#include "store/change_log.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"

namespace pando::store {
namespace {

constexpr size_t kBlockBytesAim = size_t{128} << 10;
constexpr size_t kPlaceEveryBytes = size_t{64} << 10;
// Whole segments go: a sixteenth of the log at a time, by bytes and by age.
constexpr int64_t kSegmentsAim = 16;
// A segment may be trimmed under a reader, who then looks again.
constexpr int kReadTriesMax = 4;

std::string NameOf(uint64_t sequence) {
  char name[32];
  std::snprintf(name, sizeof(name), "%012llu", static_cast<unsigned long long>(sequence));
  return name;
}

// Zero for a name that no segment has.
uint64_t SequenceOf(std::string_view name) {
  uint64_t sequence = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), sequence);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  return whole && NameOf(sequence) == name ? sequence : 0;
}

std::string PathOf(const std::string& dir, uint64_t sequence) {
  return absl::StrCat(dir, "/", NameOf(sequence));
}

absl::StatusOr<SegmentHeader> ReadSegmentHeader(io::Disk* disk, const std::string& path,
                                                uint64_t sequence) {
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  std::string bytes;
  PANDO_RETURN_IF_ERROR((*file)->ReadAt(0, kSegmentHeaderBytes, &bytes));
  SegmentHeader header;
  if (DecodeSegmentHeader(bytes, sequence, &header)) return header;
  return absl::DataLossError(absl::StrCat(path, " at 0: no header of a change log segment"));
}

}  // namespace

// Goes through the blocks of one segment. An error names the file and the offset.
class ChangeLog::BlockReader {
 public:
  BlockReader(io::File* file, std::string path, uint64_t sequence, Place place)
      : file_(file), path_(std::move(path)), sequence_(sequence), place_(place) {}

  // The header of the block at place().
  absl::Status ReadHeader(BlockHeader* header) {
    std::string bytes;
    PANDO_RETURN_IF_ERROR(file_->ReadAt(place_.offset, kBlockHeaderBytes, &bytes));
    if (!DecodeBlockHeader(bytes, sequence_, header)) return Damage("no block header");
    if (header->after != place_.after) return Damage("the block before it is missing");
    return absl::OkStatus();
  }
  absl::Status ReadBody(const BlockHeader& header, model::Revision from, ChangeBatches* batches) {
    std::string body;
    PANDO_RETURN_IF_ERROR(
        file_->ReadAt(place_.offset + kBlockHeaderBytes, header.body_bytes, &body));
    if (DecodeBlockBody(body, sequence_, header, from, batches)) return absl::OkStatus();
    return Damage("the block is damaged");
  }
  void Skip(const BlockHeader& header) {
    place_ = {header.last, place_.offset + kBlockHeaderBytes + header.body_bytes};
  }
  const Place& place() const { return place_; }

 private:
  absl::Status Damage(std::string_view what) const {
    return absl::DataLossError(absl::StrCat(path_, " at ", place_.offset, ": ", base::View(what)));
  }

  io::File* const file_;
  const std::string path_;
  const uint64_t sequence_;
  Place place_;
};

namespace {

template <typename Place>
void AddPlace(const Place& place, std::vector<Place>* places) {
  if (places->empty() || place.offset >= places->back().offset + kPlaceEveryBytes) {
    places->push_back(place);
  }
}

}  // namespace

ChangeLog::ChangeLog(io::Disk* disk, std::string dir, ChangeLogOptions options)
    : disk_(disk), dir_(std::move(dir)), options_(std::move(options)) {
  CHECK(options_.wall_clock != nullptr);
  CHECK(options_.bytes_max > 0);
}

uint64_t ChangeLog::segment_bytes() const {
  return std::max<uint64_t>(options_.bytes_max / kSegmentsAim, 4096);
}

bool ChangeLog::IsOld(base::WallTime created, int64_t parts) const {
  const base::Duration age = std::chrono::milliseconds(options_.wall_clock().ms - created.ms);
  return age >= options_.age_max / parts;
}

// --- Open -------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<ChangeLog>> ChangeLog::Create(io::Disk* disk, std::string dir,
                                                             model::Revision after,
                                                             ChangeLogOptions options) {
  PANDO_RETURN_IF_ERROR(disk->MakeDir(dir));
  std::unique_ptr<ChangeLog> log(new ChangeLog(disk, std::move(dir), std::move(options)));
  PANDO_RETURN_IF_ERROR(log->StartAnew(1, after));
  return log;
}

absl::StatusOr<std::unique_ptr<ChangeLog>> ChangeLog::Open(io::Disk* disk, std::string dir,
                                                           model::Revision stored,
                                                           ChangeLogOptions options) {
  PANDO_RETURN_IF_ERROR(disk->MakeDir(dir));
  std::unique_ptr<ChangeLog> log(new ChangeLog(disk, std::move(dir), std::move(options)));
  PANDO_RETURN_IF_ERROR(log->Load(stored));
  return log;
}

// The longest run of readable, consecutive segments. A torn header can only be that of the newest,
// which was never needed then; a gap in the numbers is a deletion that a crash undid in part.
absl::StatusOr<ChangeLog::Segments> ChangeLog::ListSegments() const {
  const absl::StatusOr<std::vector<std::string>> names = disk_->List(dir_);
  if (!names.ok()) return names.status();
  Segments segments;
  for (const std::string& name : *names) {
    const uint64_t sequence = SequenceOf(name);
    if (sequence == 0) continue;
    const absl::StatusOr<SegmentHeader> header =
        ReadSegmentHeader(disk_, PathOf(dir_, sequence), sequence);
    if (!header.ok()) continue;
    const bool next = !segments.empty() && segments.back().header.sequence + 1 == sequence &&
                      segments.back().header.after <= header->after;
    if (!next) segments.clear();
    segments.push_back({.header = *header});
  }
  return segments;
}

absl::Status ChangeLog::Load(model::Revision stored) {
  absl::StatusOr<Segments> segments = ListSegments();
  if (!segments.ok()) return segments.status();
  const uint64_t next = segments->empty() ? 1 : segments->back().header.sequence + 1;
  while (!segments->empty() && segments->back().header.after > stored) segments->pop_back();
  if (segments->empty()) return StartAnew(next, stored);

  // Only the newest is read: the cost of a start must not grow with the history. The others are
  // verified when they are read.
  Segment& newest = segments->back();
  const std::string path = PathOf(dir_, newest.header.sequence);
  absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  BlockReader reader(file->get(), path, newest.header.sequence,
                     {newest.header.after, kSegmentHeaderBytes});
  absl::Status damage;
  while (reader.place().after < stored) {
    BlockHeader header;
    ChangeBatches batches;
    damage = reader.ReadHeader(&header);
    if (damage.ok() && header.last > stored) damage = absl::DataLossError("a block is too long");
    if (damage.ok()) damage = reader.ReadBody(header, header.last, &batches);
    if (!damage.ok()) break;
    AddPlace(reader.place(), &newest.places);
    reader.Skip(header);
  }
  if (!damage.ok()) {
    base::Log(base::Severity::kWarning, "change log is damaged and starts anew",
              {{"stored", stored}, {"damage", damage.ToString()}});
    return StartAnew(next, stored);
  }
  newest.bytes = reader.place().offset;
  for (size_t i = 0; i + 1 < segments->size(); ++i) {
    absl::StatusOr<std::unique_ptr<io::File>> older =
        disk_->Open(PathOf(dir_, (*segments)[i].header.sequence), io::OpenMode::kRead);
    if (!older.ok()) return older.status();
    const absl::StatusOr<uint64_t> size = (*older)->Size();
    if (!size.ok()) return size.status();
    (*segments)[i].bytes = *size;
  }
  PANDO_RETURN_IF_ERROR(Repair(*segments));
  const base::MutexLock lock(&mutex_);
  segments_ = *std::move(segments);
  last_ = stored;
  return absl::OkStatus();
}

absl::Status ChangeLog::StartAnew(uint64_t sequence, model::Revision after) {
  Segments segments;
  // A file under this number may be left of a start that was cut short.
  PANDO_RETURN_IF_ERROR(Repair(segments));
  const SegmentHeader header{sequence, after, options_.wall_clock()};
  PANDO_RETURN_IF_ERROR(CreateSegment(header, &segments));
  PANDO_RETURN_IF_ERROR(file_->Sync());
  const base::MutexLock lock(&mutex_);
  segments_ = std::move(segments);
  last_ = after;
  forgotten_ = model::Revision();
  return absl::OkStatus();
}

absl::Status ChangeLog::Repair(const Segments& segments) {
  const absl::StatusOr<std::vector<std::string>> names = disk_->List(dir_);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const bool kept = std::any_of(segments.begin(), segments.end(), [&](const Segment& segment) {
      return NameOf(segment.header.sequence) == name;
    });
    if (!kept) PANDO_RETURN_IF_ERROR(disk_->Delete(absl::StrCat(dir_, "/", name)));
  }
  // A number is used again for a segment that was cut: its file must not come back.
  PANDO_RETURN_IF_ERROR(disk_->SyncDir(dir_));
  file_.reset();
  if (segments.empty()) return absl::OkStatus();
  const Segment& newest = segments.back();
  absl::StatusOr<std::unique_ptr<io::File>> file =
      disk_->Open(PathOf(dir_, newest.header.sequence), io::OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  PANDO_RETURN_IF_ERROR((*file)->Truncate(newest.bytes));
  PANDO_RETURN_IF_ERROR((*file)->Sync());
  file_ = *std::move(file);
  return absl::OkStatus();
}

// --- Append -----------------------------------------------------------------------------------

absl::Status ChangeLog::Append(const std::vector<io::StoreWrite>& window) {
  CHECK(!window.empty());
  Segments segments;
  model::Revision last;
  {
    const base::MutexLock lock(&mutex_);
    segments = segments_;
    last = last_;
  }
  // Its batch for LevelDB did not fit on the disk, and is tried again.
  if (window.back().revision == last) return absl::OkStatus();
  CHECK(window.front().revision > last);
  if (must_repair_) PANDO_RETURN_IF_ERROR(Repair(segments));
  must_repair_ = true;
  PANDO_RETURN_IF_ERROR(AppendBlocks(window, last, &segments));
  PANDO_RETURN_IF_ERROR(file_->Sync());
  must_repair_ = false;
  {
    const base::MutexLock lock(&mutex_);
    segments_ = std::move(segments);
    last_ = window.back().revision;
  }
  Trim();
  return absl::OkStatus();
}

absl::Status ChangeLog::AppendBlocks(const std::vector<io::StoreWrite>& window,
                                     model::Revision after, Segments* segments) {
  const size_t bytes_aim = std::min<size_t>(kBlockBytesAim, segment_bytes());
  ChangeBatches batches;
  size_t bytes = 0;
  for (const io::StoreWrite& write : window) {
    if (write.changes == nullptr) continue;
    CHECK(write.changes->revision == write.revision);
    bytes += write.changes->bytes();
    batches.push_back(write.changes);
    if (bytes < bytes_aim) continue;
    PANDO_RETURN_IF_ERROR(AppendBlock(after, write.revision, batches, segments));
    after = write.revision;
    batches.clear();
    bytes = 0;
  }
  // Also an empty one: that nothing changed up to here must be on disk too.
  if (after == window.back().revision) return absl::OkStatus();
  return AppendBlock(after, window.back().revision, batches, segments);
}

absl::Status ChangeLog::AppendBlock(model::Revision after, model::Revision last,
                                    const ChangeBatches& batches, Segments* segments) {
  const Segment& newest = segments->back();
  const bool used = newest.bytes > kSegmentHeaderBytes;
  const bool damaged = newest.header.after + 1 < oldest();
  if (used &&
      (damaged || newest.bytes >= segment_bytes() || IsOld(newest.header.created, kSegmentsAim))) {
    PANDO_RETURN_IF_ERROR(file_->Sync());
    const SegmentHeader header{newest.header.sequence + 1, after, options_.wall_clock()};
    PANDO_RETURN_IF_ERROR(CreateSegment(header, segments));
  }
  Segment& segment = segments->back();
  const std::string block = EncodeBlock(segment.header.sequence, after, last, batches);
  PANDO_RETURN_IF_ERROR(file_->WriteAt(segment.bytes, block));
  AddPlace({after, segment.bytes}, &segment.places);
  segment.bytes += block.size();
  return absl::OkStatus();
}

absl::Status ChangeLog::CreateSegment(const SegmentHeader& header, Segments* segments) {
  absl::StatusOr<std::unique_ptr<io::File>> file =
      disk_->Open(PathOf(dir_, header.sequence), io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const std::string bytes = EncodeSegmentHeader(header);
  PANDO_RETURN_IF_ERROR((*file)->WriteAt(0, bytes));
  PANDO_RETURN_IF_ERROR(disk_->SyncDir(dir_));
  file_ = *std::move(file);
  segments->push_back({.header = header, .bytes = bytes.size()});
  return absl::OkStatus();
}

void ChangeLog::Trim() {
  std::vector<uint64_t> gone;
  {
    const base::MutexLock lock(&mutex_);
    uint64_t bytes = 0;
    for (const Segment& segment : segments_) bytes += segment.bytes;
    while (segments_.size() > 1) {
      // The next was made when this one was shut.
      const SegmentHeader& next = segments_[1].header;
      if (bytes <= options_.bytes_max && !IsOld(next.created, 1) && next.after > forgotten_) break;
      bytes -= segments_.front().bytes;
      gone.push_back(segments_.front().header.sequence);
      segments_.pop_front();
      ++trimmed_segments_;
    }
  }
  for (const uint64_t sequence : gone) {
    // What is not deleted now is deleted by the next start: it is in no run of segments.
    const absl::Status status = disk_->Delete(PathOf(dir_, sequence));
    if (!status.ok()) {
      base::Log(base::Severity::kWarning, "change log segment cannot be deleted",
                {{"error", status.ToString()}});
    }
  }
}

// --- Read -------------------------------------------------------------------------------------

model::Revision ChangeLog::OldestLocked() const {
  return std::max(segments_.front().header.after, forgotten_) + 1;
}

model::Revision ChangeLog::oldest() const {
  const base::MutexLock lock(&mutex_);
  return OldestLocked();
}

model::Revision ChangeLog::last() const {
  const base::MutexLock lock(&mutex_);
  return last_;
}

uint64_t ChangeLog::trimmed_segments() const {
  const base::MutexLock lock(&mutex_);
  return trimmed_segments_;
}

uint64_t ChangeLog::bytes() const {
  const base::MutexLock lock(&mutex_);
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.bytes;
  return bytes;
}

ChangeLog::Reading ChangeLog::Read(model::Revision from, size_t bytes_max) {
  CHECK(from > model::Revision());
  Reading reading{.from = from, .through = from - 1};
  int tries = 0;
  Segment segment;
  model::Revision end;
  while (FindSegment(reading.through + 1, &segment, &end)) {
    const absl::StatusOr<bool> full = ReadSegment(&segment, end, bytes_max, &reading);
    if (absl::IsNotFound(full.status()) && ++tries < kReadTriesMax) continue;
    if (!full.ok()) {
      Forget(segment, full.status());
      break;
    }
    KeepPlaces(std::move(segment));
    if (*full) break;
  }
  reading.oldest = oldest();
  // Whoever is told that `from` is gone must not get a part of what followed it.
  if (from < reading.oldest) {
    reading.through = from - 1;
    reading.batches.clear();
  }
  return reading;
}

bool ChangeLog::FindSegment(model::Revision from, Segment* segment, model::Revision* end) const {
  const base::MutexLock lock(&mutex_);
  if (from < OldestLocked() || from > last_) return false;
  *end = last_;
  for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
    if (it->header.after < from) {
      *segment = *it;
      return true;
    }
    *end = it->header.after;
  }
  return false;
}

absl::StatusOr<bool> ChangeLog::ReadSegment(Segment* segment, model::Revision end, size_t bytes_max,
                                            Reading* reading) const {
  const uint64_t sequence = segment->header.sequence;
  const std::string path = PathOf(dir_, sequence);
  absl::StatusOr<std::unique_ptr<io::File>> file = disk_->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  Place place{segment->header.after, kSegmentHeaderBytes};
  for (const Place& known : segment->places) {
    if (known.after <= reading->through) place = known;
  }
  size_t bytes = 0;
  for (const auto& batch : reading->batches) bytes += batch->bytes();

  BlockReader reader(file->get(), path, sequence, place);
  while (reader.place().after < end) {
    BlockHeader header;
    PANDO_RETURN_IF_ERROR(reader.ReadHeader(&header));
    AddPlace(reader.place(), &segment->places);
    if (header.last > reading->through) {
      ChangeBatches block;
      PANDO_RETURN_IF_ERROR(reader.ReadBody(header, reading->through + 1, &block));
      for (auto& batch : block) {
        if (bytes > 0 && bytes + batch->bytes() > bytes_max) {
          reading->through = batch->revision - 1;
          return true;
        }
        bytes += batch->bytes();
        reading->batches.push_back(std::move(batch));
      }
      reading->through = header.last;
    }
    reader.Skip(header);
  }
  if (reader.place().after == end) return bytes >= bytes_max;
  return absl::DataLossError(
      absl::StrCat(path, " at ", reader.place().offset, ": goes beyond ", end.value()));
}

ChangeLog::Reading ChangeLog::ReadTail(size_t bytes_max) {
  Place start;
  model::Revision last;
  {
    const base::MutexLock lock(&mutex_);
    last = last_;
    start.after = OldestLocked() - 1;
    uint64_t bytes = 0;
    for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
      if (bytes >= bytes_max) break;
      start.after = std::max(it->header.after, forgotten_);
      for (const Place& place : it->places) {
        if (bytes + it->bytes - place.offset >= bytes_max) {
          start.after = std::max(place.after, forgotten_);
        }
      }
      bytes += it->bytes;
    }
  }
  if (start.after >= last) return {.oldest = oldest(), .from = last + 1, .through = last};
  Reading reading = Read(start.after + 1, SIZE_MAX);
  size_t bytes = 0;
  auto first = reading.batches.end();
  while (first != reading.batches.begin() && bytes + (*(first - 1))->bytes() <= bytes_max) {
    --first;
    bytes += (*first)->bytes();
  }
  if (first != reading.batches.begin()) reading.from = (*(first - 1))->revision + 1;
  reading.batches.erase(reading.batches.begin(), first);
  return reading;
}

void ChangeLog::KeepPlaces(Segment segment) {
  const base::MutexLock lock(&mutex_);
  for (Segment& kept : segments_) {
    if (kept.header.sequence != segment.header.sequence) continue;
    if (kept.places.size() < segment.places.size()) kept.places = std::move(segment.places);
    return;
  }
}

void ChangeLog::Forget(const Segment& damaged, const absl::Status& why) {
  base::Log(base::Severity::kError, "change log is damaged: older changes are forgotten",
            {{"damage", why.ToString()}});
  const base::MutexLock lock(&mutex_);
  model::Revision end = last_;
  for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
    if (it->header.sequence <= damaged.header.sequence) break;
    end = it->header.after;
  }
  forgotten_ = std::max(forgotten_, end);
}

// --- Check ------------------------------------------------------------------------------------

namespace {

// A segment without a header is damage, but for the newest: a crash may tear that one. `*newest`
// is then what is wrong with it, should it turn out to be needed.
absl::Status CheckHeaders(io::Disk* disk, const std::string& dir, absl::Status* newest) {
  const absl::StatusOr<std::vector<std::string>> names = disk->List(dir);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const uint64_t sequence = SequenceOf(name);
    if (sequence == 0) continue;
    PANDO_RETURN_IF_ERROR(*newest);
    *newest = ReadSegmentHeader(disk, PathOf(dir, sequence), sequence).status();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ChangeLog::Check(io::Disk* disk, const std::string& dir, model::Revision stored) {
  absl::Status torn;
  PANDO_RETURN_IF_ERROR(CheckHeaders(disk, dir, &torn));
  const ChangeLog log(disk, dir, {.wall_clock = [] { return base::WallTime(); }});
  absl::StatusOr<Segments> segments = log.ListSegments();
  if (!segments.ok()) return segments.status();
  // A torn header is a crash while the newest segment was made; but something was stored before.
  if (segments->empty() && stored) return torn;
  for (size_t i = 0; i < segments->size(); ++i) {
    const bool newest = i + 1 == segments->size();
    const model::Revision end = newest ? stored : (*segments)[i + 1].header.after;
    const absl::Status damage =
        CheckSegment(disk, dir, (*segments)[i].header, std::min(end, stored));
    if (newest && absl::IsDataLoss(damage) && !torn.ok()) return torn;
    PANDO_RETURN_IF_ERROR(damage);
  }
  return absl::OkStatus();
}

absl::Status ChangeLog::CheckSegment(io::Disk* disk, const std::string& dir,
                                     const SegmentHeader& header, model::Revision end) {
  const std::string path = PathOf(dir, header.sequence);
  absl::StatusOr<std::unique_ptr<io::File>> file = disk->Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  BlockReader reader(file->get(), path, header.sequence, {header.after, kSegmentHeaderBytes});
  while (reader.place().after < end) {
    BlockHeader block;
    ChangeBatches batches;
    PANDO_RETURN_IF_ERROR(reader.ReadHeader(&block));
    PANDO_RETURN_IF_ERROR(reader.ReadBody(block, block.after, &batches));
    reader.Skip(block);
  }
  return absl::OkStatus();
}

}  // namespace pando::store
