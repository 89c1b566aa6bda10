#include "wal/wal.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "model/mutant.h"

namespace pando::wal {
namespace {

std::string ParentOf(const std::string& dir) {
  const size_t slash = dir.rfind('/');
  return slash == std::string::npos ? "." : dir.substr(0, slash);
}

// After a failed sync nothing is known about the file, whatever the reason was.
absl::Status SyncFailed(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::DataLossError(status.message());
}

// What is left of a body's entries when later ones cut earlier ones, by index.
std::map<model::Revision, EntriesView::Item> EntriesOf(const std::vector<Record>& records) {
  std::map<model::Revision, EntriesView::Item> entries;
  for (const Record& record : records) {
    const EntriesView* view = std::get_if<EntriesView>(&record);
    if (view == nullptr) continue;
    model::Revision index = view->previous.index;
    entries.erase(entries.upper_bound(index), entries.end());
    for (const EntriesView::Item& item : view->items) entries.emplace(++index, item);
  }
  return entries;
}

// What Reset() does to entries that were read before it.
void DropReset(Position previous, std::deque<model::Entry>* entries) {
  while (!entries->empty() && entries->front().index <= previous.index) entries->pop_front();
}

}  // namespace

// --- Open and Check ---------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Wal>> Wal::Open(io::Disk* disk, std::string dir, Options options,
                                               base::Rng rng, Recovered* recovered) {
  PANDO_RETURN_IF_ERROR(disk->MakeDir(dir));
  PANDO_RETURN_IF_ERROR(disk->SyncDir(ParentOf(dir)));
  absl::StatusOr<Replayed> replayed = Replay(disk, dir, options.keep_from, options.tail_bytes_max);
  if (!replayed.ok()) return replayed.status();
  PANDO_RETURN_IF_ERROR(Settle(disk, dir, *replayed));

  std::deque<model::Entry> entries = std::move(replayed->entries);
  std::unique_ptr<Wal> wal(
      new Wal(disk, std::move(dir), std::move(options), rng, *std::move(replayed)));
  PANDO_RETURN_IF_ERROR(wal->spares_.Clear());
  if (!wal->segments_.empty()) {
    absl::StatusOr<std::unique_ptr<io::File>> file =
        disk->Open(wal->PathOf(wal->segments_.back().name), io::OpenMode::kReadWrite);
    if (!file.ok()) return file.status();
    const absl::StatusOr<uint64_t> bytes = (*file)->Size();
    if (!bytes.ok()) return bytes.status();
    wal->file_ = *std::move(file);
    wal->file_bytes_ = *bytes;
  }
  PANDO_RETURN_IF_ERROR(wal->RaiseStartCount());
  const std::optional<Position> reset = wal->options_.reset;
  if (reset && wal->previous().index < reset->index) {
    PANDO_RETURN_IF_ERROR(wal->Reset(reset->index, reset->term));
    if (wal->contents_.empty()) entries.clear();
    DropReset(wal->previous(), &entries);
  }

  recovered->term = wal->state_.term;
  recovered->vote = wal->state_.vote;
  recovered->start_count = wal->state_.start;
  recovered->formation = wal->formation_;
  recovered->first_on_disk = wal->previous().index + 1;
  recovered->previous = entries.empty() ? wal->last() : wal->PositionBefore(entries.front().index);
  recovered->entries.assign(std::make_move_iterator(entries.begin()),
                            std::make_move_iterator(entries.end()));
  return wal;
}

Wal::Wal(io::Disk* disk, std::string dir, Options options, base::Rng rng, Replayed replayed)
    : disk_(disk),
      dir_(std::move(dir)),
      options_(std::move(options)),
      rng_(rng),
      spares_(disk, dir_, options_.segment_bytes),
      state_(replayed.state),
      formation_(std::move(replayed.formation)),
      contents_(std::move(replayed.contents)),
      segments_(replayed.segments.begin(), replayed.segments.end()),
      next_(replayed.next) {
  for (const Segment& segment : segments_) bytes_ += segment.bytes;
}

absl::Status Wal::Check(io::Disk* disk, const std::string& dir, CheckReport* report) {
  const model::Revision none_kept(std::numeric_limits<uint64_t>::max());
  const absl::StatusOr<Replayed> replayed = Replay(disk, dir, none_kept, 0);
  if (!replayed.ok()) return replayed.status();
  *report = CheckReport();
  report->segments = replayed->segments.size();
  report->state = replayed->state;
  report->previous = replayed->contents.previous();
  report->last = replayed->contents.last();
  report->entries = report->last.index - report->previous.index;
  if (replayed->segments.empty()) return absl::OkStatus();
  report->batches = replayed->next - replayed->segments.front().name.first;
  if (replayed->torn) {
    const Segment& last = replayed->segments.back();
    report->torn_file = absl::StrCat(dir, "/", last.name.ToString());
    report->torn_offset = last.bytes;
  }
  return absl::OkStatus();
}

// --- Writing ----------------------------------------------------------------------------------

absl::Status Wal::Write(std::span<const io::Append> appends) {
  PANDO_RETURN_IF_ERROR(CheckUsable());
  BeginBatch();
  for (const io::Append& append : appends) {
    if (append.vote) {
      if (body_.size() + kRecordBytesMax > model::kWalBatchBytesMax) {
        PANDO_RETURN_IF_ERROR(CommitBatch());
      }
      batch_state_.term = append.vote->term;
      batch_state_.vote = append.vote->vote;
      AppendRecord(batch_state_, &body_);
    }
    if (append.formation) PANDO_RETURN_IF_ERROR(AddFormation(*append.formation));
    PANDO_RETURN_IF_ERROR(AddEntries(append.entries));
  }
  return body_.empty() ? absl::OkStatus() : CommitBatch();
}

absl::Status Wal::DropPrefix(model::Revision first_kept) {
  PANDO_RETURN_IF_ERROR(CheckUsable());
  if (first_kept) RetireUpTo(first_kept - 1);
  return absl::OkStatus();
}

absl::Status Wal::Reset(model::Revision last, model::Term last_term) {
  PANDO_RETURN_IF_ERROR(CheckUsable());
  const bool keeps_suffix = contents_.TermAt(last) == last_term;
  BeginBatch();
  AppendRecord(ResetTo{.last = {last, last_term}, .keeps_suffix = keeps_suffix}, &body_);
  PANDO_RETURN_IF_ERROR(CommitBatch());
  if (keeps_suffix) {
    contents_.DropUpTo(last);
  } else {
    contents_.Reset({last, last_term});
  }
  RetireUpTo(last);
  return absl::OkStatus();
}

absl::Status Wal::RaiseStartCount() {
  BeginBatch();
  ++batch_state_.start;
  AppendRecord(batch_state_, &body_);
  return CommitBatch();
}

absl::Status Wal::AddFormation(const model::Formation& formation) {
  std::string record;
  AppendRecord(formation, &record);
  if (!body_.empty() && body_.size() + record.size() > model::kWalBatchBytesMax) {
    PANDO_RETURN_IF_ERROR(CommitBatch());
  }
  body_.append(record);
  batch_formation_ = formation;
  return absl::OkStatus();
}

absl::Status Wal::AddEntries(std::span<const raft::EntryRef> entries) {
  while (!entries.empty()) {
    size_t bytes = body_.size() + kRecordBytesMax;
    size_t count = 0;
    while (count < entries.size()) {
      bytes += EntryBytesMax(*entries[count]);
      if (bytes > model::kWalBatchBytesMax) break;
      ++count;
    }
    if (count == 0 && !body_.empty()) {
      PANDO_RETURN_IF_ERROR(CommitBatch());
      continue;
    }
    // An entry beyond every limit has a batch of its own.
    count = std::max<size_t>(count, 1);
    const Position previous = PositionBefore(entries.front()->index);
    AppendRecord(previous, entries.first(count), &body_);
    batch_runs_.push_back({.previous = previous, .entries = entries.first(count)});
    entries = entries.subspan(count);
  }
  return absl::OkStatus();
}

// The position of the entry before `index`, in the log as it is with the batch at hand.
Position Wal::PositionBefore(model::Revision index) const {
  CHECK(index);
  const model::Revision before = index - 1;
  const Position end = batch_runs_.empty() ? contents_.last()
                                           : Position{batch_runs_.back().entries.back()->index, {}};
  CHECK(before <= end.index);  // there are no gaps
  for (auto run = batch_runs_.rbegin(); run != batch_runs_.rend(); ++run) {
    if (before == run->previous.index) return run->previous;
    if (before > run->previous.index) {
      return {before,
              run->entries[static_cast<size_t>(index - run->entries.front()->index) - 1]->term};
    }
  }
  // Raft never cuts what is committed, and only that is ever dropped.
  const std::optional<model::Term> term = contents_.TermAt(before);
  CHECK(term.has_value());
  return {before, *term};
}

void Wal::BeginBatch() {
  body_.clear();
  batch_state_ = state_;
  batch_formation_.reset();
  batch_runs_.clear();
}

absl::Status Wal::CommitBatch() {
  const absl::StatusOr<BatchPlace> place = WriteBatch();
  if (!place.ok()) return place.status();
  state_ = batch_state_;
  if (batch_formation_) formation_ = std::move(batch_formation_);
  for (const Run& run : batch_runs_) {
    contents_.CutAfter(run.previous);
    for (const raft::EntryRef& entry : run.entries) contents_.Push(*place, entry->term);
    CHECK(contents_.last().index == run.entries.back()->index);
  }
  BeginBatch();
  return absl::OkStatus();
}

absl::StatusOr<BatchPlace> Wal::WriteBatch() {
  CHECK(!body_.empty());
  if (NeedsSegment()) PANDO_RETURN_IF_ERROR(Fail(BeginSegment()));
  Segment& segment = segments_.back();
  const BatchPlace place{.segment = segment.name.first, .offset = segment.bytes};
  const std::string frame = FrameBatch(segment.bytes == 0);
  PANDO_RETURN_IF_ERROR(
      Fail(base::Annotate(file_->WriteAt(place.offset, frame), PathOf(segment.name))));
  PANDO_RETURN_IF_ERROR(Fail(base::Annotate(SyncTimed(), PathOf(segment.name))));
  ++next_;
  segment.bytes += frame.size();
  bytes_ += frame.size();
  ++stats_.batches;
  stats_.written_bytes += frame.size();
  return place;
}

// An empty segment takes a batch of any size. One that was begun without a spare, as the first is,
// grows with every batch, and a sync of that costs twice as much: it ends when there is a spare.
bool Wal::NeedsSegment() const {
  if (segments_.empty()) return true;
  const uint64_t bytes = segments_.back().bytes;
  const uint64_t end = bytes + BatchBytes(body_.size());
  if (bytes == 0) return false;
  return end > options_.segment_bytes || (end > file_bytes_ && spares_.ready());
}

std::string Wal::FrameBatch(bool with_head) const {
  std::string frame;
  frame.reserve(static_cast<size_t>(BatchBytes(kRecordBytesMax + body_.size())));
  frame.assign(kHeaderBytes, '\0');
  if (with_head) {
    AppendRecord(Head{.state = state_, .last = contents_.last()}, &frame);
    if (formation_) AppendRecord(*formation_, &frame);
  }
  frame.append(body_);

  const std::string_view body = std::string_view(frame).substr(kHeaderBytes);
  const BatchHeader header{.segment = segments_.back().name.id,
                           .number = next_,
                           .body_bytes = body.size(),
                           .body_checksum = base::Hash64(body)};
  frame.resize(static_cast<size_t>(BatchBytes(body.size())), '\0');
  frame.replace(0, kHeaderBytes, EncodeHeader(header));
  return frame;
}

absl::Status Wal::BeginSegment() {
  const SegmentName name{.first = next_, .id = SegmentId(std::max<uint64_t>(rng_.Next(), 1))};
  const std::string path = PathOf(name);
  const absl::StatusOr<bool> taken = spares_.Take(path);
  if (!taken.ok()) return taken.status();
  absl::StatusOr<std::unique_ptr<io::File>> file =
      disk_->Open(path, *taken ? io::OpenMode::kReadWrite : io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  PANDO_RETURN_IF_ERROR(SyncFailed(disk_->SyncDir(dir_)));
  segments_.push_back({.name = name});
  file_ = *std::move(file);
  file_bytes_ = *taken ? options_.segment_bytes : 0;
  return absl::OkStatus();
}

absl::Status Wal::SyncTimed() {
  const bool timed = options_.clock && options_.on_sync;
  const base::Instant start = timed ? options_.clock() : base::Instant();
  if (Is(model::Mutant::kSyncSkipped)) return absl::OkStatus();
  PANDO_RETURN_IF_ERROR(SyncFailed(file_->Sync()));
  if (timed) options_.on_sync(options_.clock() - start);
  return absl::OkStatus();
}

void Wal::RetireUpTo(model::Revision index) {
  // The next segment must have its head on disk: term and vote are in this one, too.
  while (segments_.size() > 1 && segments_[1].bytes > 0) {
    const Segment& oldest = segments_.front();
    const model::Revision last = contents_.LastUpTo(oldest.name.first);
    if (last > index) return;
    if (last) contents_.DropUpTo(last);
    if (read_segment_ == oldest.name.first) read_file_.reset();
    bytes_ -= oldest.bytes;
    ++stats_.retired_segments;
    spares_.Retire(PathOf(oldest.name));
    segments_.pop_front();
  }
}

absl::Status Wal::CheckUsable() const {
  if (!failed_) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(dir_, ": an earlier write failed"));
}

absl::Status Wal::Fail(const absl::Status& status) {
  if (!status.ok() && !absl::IsResourceExhausted(status)) failed_ = true;
  return status;
}

// --- Reading ----------------------------------------------------------------------------------

absl::StatusOr<std::vector<model::Entry>> Wal::Read(model::Revision first, size_t bytes_max) {
  PANDO_RETURN_IF_ERROR(CheckUsable());
  if (first <= previous().index || first > last().index) {
    return absl::OutOfRangeError(absl::StrCat("the WAL holds entries from ",
                                              (previous().index + 1).value(), " to ",
                                              last().index.value(), ", not ", first.value()));
  }
  std::vector<model::Entry> entries;
  size_t bytes = 0;
  for (model::Revision next = first;
       next <= last().index && (entries.empty() || bytes < bytes_max);) {
    const Contents::Extent& extent = contents_.Find(next);
    PANDO_RETURN_IF_ERROR(ReadExtent(extent, next, bytes_max, &entries, &bytes));
    CHECK(!entries.empty());
    const model::Revision reached = entries.back().index;
    if (reached < extent.last) break;
    next = reached + 1;
  }
  return entries;
}

// Adds the extent's entries from `first` on while they fit, but at least one to none.
absl::Status Wal::ReadExtent(const Contents::Extent& extent, model::Revision first,
                             size_t bytes_max, std::vector<model::Entry>* entries, size_t* bytes) {
  const SegmentName& name = NameOf(extent.place.segment);
  const absl::StatusOr<io::File*> file = FileOf(name);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> body = ReadBatchBody(*file, name.id, extent.place.offset);
  if (!body.ok()) return base::Annotate(body.status(), PathOf(name));
  const std::optional<std::vector<Record>> records = DecodeBody(*body);
  CHECK(records.has_value());  // its checksum is right, and this process has read or written it
  const std::map<model::Revision, EntriesView::Item> found = EntriesOf(*records);
  for (auto item = found.find(first); item != found.end() && item->first <= extent.last; ++item) {
    CHECK(contents_.TermAt(item->first) == item->second.term);
    model::Entry entry{.index = item->first,
                       .term = item->second.term,
                       .kind = item->second.kind,
                       .payload = std::string(item->second.payload)};
    if (!entries->empty() && *bytes + entry.bytes() > bytes_max) return absl::OkStatus();
    *bytes += entry.bytes();
    entries->push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<io::File*> Wal::FileOf(const SegmentName& segment) {
  if (segment == segments_.back().name) return file_.get();
  if (read_file_ == nullptr || read_segment_ != segment.first) {
    absl::StatusOr<std::unique_ptr<io::File>> file =
        disk_->Open(PathOf(segment), io::OpenMode::kRead);
    if (!file.ok()) return file.status();
    read_segment_ = segment.first;
    read_file_ = *std::move(file);
  }
  return read_file_.get();
}

const SegmentName& Wal::NameOf(BatchNumber first) const {
  const auto found = std::partition_point(segments_.begin(), segments_.end(),
                                          [&](const Segment& s) { return s.name.first < first; });
  CHECK(found != segments_.end());
  CHECK(found->name.first == first);
  return found->name;
}

std::string Wal::PathOf(const SegmentName& name) const {
  return absl::StrCat(dir_, "/", name.ToString());
}

}  // namespace pando::wal
