// Wal: the replicated log of one server, on disk: entries, term, vote and start count, and what it
// remembers of its ensemble's formation.
//
// Owned by one thread (the disk thread), which alone calls it; only spares() may be tended by
// another. Calls block for as long as the disk does.
//
// The unit is a batch: one write, one sync. Batch n+1 is never written before n is synced, so that
// after a crash at most the last one is torn, and damage before it is known as such.
//
//   wal/000…001-<id>.wal   [Head, …] [batch 2] [batch 3] …
//   wal/000…9a4-<id>.wal   [Head, …] [batch 2469] … | zeros, or what an older use left
//   wal/spare              the next segment's file
//
// After an error other than RESOURCE_EXHAUSTED nothing is known about the file: every later call
// fails with FAILED_PRECONDITION, and the process has to stop.
#ifndef PANDO_WAL_WAL_H_
#define PANDO_WAL_WAL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/log.h"
#include "model/entry.h"
#include "model/formation.h"
#include "model/ids.h"
#include "model/limits.h"
#include "wal/contents.h"
#include "wal/format.h"
#include "wal/recovery.h"
#include "wal/spares.h"

namespace pando::wal {

struct Options {
  // A segment ends with the batch that would not fit. A batch larger than this has its own.
  uint64_t segment_bytes = uint64_t{64} << 20;
  // Entries from here on are handed over whole by Open; of those below, the newest ones within
  // `tail_bytes_max`. All are verified.
  model::Revision keep_from{1};
  size_t tail_bytes_max = model::kLogTailBytesMax;
  // A snapshot was installed, and perhaps the log does not know: Reset() to here before anything is
  // handed over, unless the log begins here or later. Then that was done before, and what was
  // appended since may already be cut at its front.
  std::optional<Position> reset;
  // The clock is read through this, around every sync of a batch; null: syncs are not timed.
  std::function<base::Instant()> clock;
  std::function<void(base::Duration)> on_sync;
};

// What Open found. It stays true whatever happens next: it is synced.
struct Recovered {
  model::Term term;
  model::ServerId vote;
  model::StartCount start_count;  // of this start: raised already
  // The last that was written.
  std::optional<model::Formation> formation;
  // The first entry that is still on disk, or the one to come: not above the oldest of stored
  // revision and snapshot plus one, or the log has lost entries.
  model::Revision first_on_disk;
  // Just before entries.front(), or the last entry ever if there are none.
  Position previous;
  std::vector<model::Entry> entries;
};

// What Check found.
struct CheckReport {
  size_t segments = 0;
  uint64_t batches = 0;
  uint64_t entries = 0;  // that the log holds
  HardState state;
  Position previous;
  Position last;
  // A torn tail is no damage: the next start cuts it. Empty: there is none.
  std::string torn_file;
  uint64_t torn_offset = 0;
};

// Counters since Open.
struct Stats {
  uint64_t batches = 0;
  uint64_t written_bytes = 0;
  uint64_t retired_segments = 0;
};

class Wal {
 public:
  // Reads the log in `dir`, which is made if it is not there, makes what it read durable and raises
  // the start count. `disk` outlives the Wal. `rng` is for segment ids: its seed must be random.
  // DATA_LOSS: the log is damaged; the message names file and offset.
  static absl::StatusOr<std::unique_ptr<Wal>> Open(io::Disk* disk, std::string dir, Options options,
                                                   base::Rng rng, Recovered* recovered);
  // Verifies the log in `dir` and changes nothing. Errors as Open.
  static absl::Status Check(io::Disk* disk, const std::string& dir, CheckReport* report);

  // Returns when all of it is on disk, as one batch (as several, in order, if it is larger than
  // kWalBatchBytesMax). RESOURCE_EXHAUSTED: the disk is full, nothing may be promised, and the same
  // appends have to be written again, others after them.
  [[nodiscard]] absl::Status Write(std::span<const io::Append> appends);
  // Entries below `first_kept` are not needed: whole segments go, by way of spares().
  [[nodiscard]] absl::Status DropPrefix(model::Revision first_kept);
  // The log begins anew after `last`; term, vote and formation stay. If it holds that very entry,
  // the entries after it stay too. Errors as Write.
  [[nodiscard]] absl::Status Reset(model::Revision last, model::Term last_term);
  // Entries from `first` on, at least one and at most `bytes_max` unless the first is larger.
  // OUT_OF_RANGE: the log does not hold `first`. DATA_LOSS: file and offset.
  absl::StatusOr<std::vector<model::Entry>> Read(model::Revision first, size_t bytes_max);

  Position previous() const { return contents_.previous(); }
  Position last() const { return contents_.last(); }
  // Of all batches that are kept.
  uint64_t bytes() const { return bytes_; }
  const Stats& stats() const { return stats_; }
  Spares* spares() { return &spares_; }

 private:
  // Entries of the batch at hand: on disk with it, in `contents_` after it.
  struct Run {
    Position previous;
    std::span<const raft::EntryRef> entries;
  };

  Wal(io::Disk* disk, std::string dir, Options options, base::Rng rng, Replayed replayed);

  absl::Status CheckUsable() const;
  absl::Status RaiseStartCount();
  absl::Status AddFormation(const model::Formation& formation);
  absl::Status AddEntries(std::span<const raft::EntryRef> entries);
  Position PositionBefore(model::Revision index) const;
  void BeginBatch();
  absl::Status CommitBatch();
  absl::StatusOr<BatchPlace> WriteBatch();
  bool NeedsSegment() const;
  std::string FrameBatch(bool with_head) const;
  absl::Status BeginSegment();
  absl::Status SyncTimed();
  absl::Status ReadExtent(const Contents::Extent& extent, model::Revision first, size_t bytes_max,
                          std::vector<model::Entry>* entries, size_t* bytes);
  absl::StatusOr<io::File*> FileOf(const SegmentName& segment);
  const SegmentName& NameOf(BatchNumber first) const;
  std::string PathOf(const SegmentName& name) const;
  void RetireUpTo(model::Revision index);
  absl::Status Fail(const absl::Status& status);

  io::Disk* const disk_;
  const std::string dir_;
  const Options options_;
  base::Rng rng_;
  Spares spares_;

  HardState state_;
  std::optional<model::Formation> formation_;
  Contents contents_;
  std::deque<Segment> segments_;    // oldest first; batches go to the last one
  std::unique_ptr<io::File> file_;  // of the last segment
  uint64_t file_bytes_ = 0;         // of `file_` when it was opened: written ahead
  BatchNumber next_;
  uint64_t bytes_ = 0;
  Stats stats_;
  bool failed_ = false;

  // The batch at hand.
  std::string body_;
  HardState batch_state_;
  std::optional<model::Formation> batch_formation_;  // none: it stays as it is
  std::vector<Run> batch_runs_;

  // The segment that was read last, if it is not the last one.
  BatchNumber read_segment_;
  std::unique_ptr<io::File> read_file_;
};

}  // namespace pando::wal

#endif  // PANDO_WAL_WAL_H_
