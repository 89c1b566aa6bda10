// ScanThread: everything that reads the store while it is written: scans, reads of the change log,
// and the periodic snapshots. The thread is pando-scan.
//
// Scans take turns, a chunk each: up to kScansMax of clients, and those for members; one whose sink
// is full is passed over and asked again a little later. A snapshot is one more scan, whose sink is
// a file that takes only so many bytes a second. Thread-safe.
#ifndef PANDO_STORE_SCAN_THREAD_H_
#define PANDO_STORE_SCAN_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/event.h"
#include "io/store.h"
#include "model/ids.h"
#include "store/state.h"

namespace pando::store {

struct SnapshotOptions {
  // One is taken when the state has changed since the last, and that was `interval` ago or the WAL
  // has grown by `wal_bytes` since.
  base::Duration interval = std::chrono::hours(1);
  uint64_t wal_bytes = uint64_t{1} << 30;
  uint64_t bytes_per_second = uint64_t{32} << 20;
  // The WAL does not reach back to the newest: nothing could rebuild the state before the next.
  bool at_once = false;
  // After one that failed, a full disk perhaps.
  base::Duration retry = std::chrono::seconds(30);
  // Bytes ever written to the WAL; null: it does not count.
  std::function<uint64_t()> wal_bytes_written;
  // What a snapshot says of its origin; none while it is not known, and then none is taken.
  std::function<model::ClusterId()> cluster;
  // A record's part of the digest, which is the sum of them all. With it a snapshot that does not
  // have the digest of its revision stops the process instead of replacing a good one.
  std::function<uint64_t(std::string_view key, std::string_view value)> digest;
  // Of one that was taken; may be null.
  std::function<void(base::Duration taken, uint64_t bytes)> on_snapshot;
};

class ScanThread {
 public:
  // `disk`, and what `state` points to unless another takes its place, outlive it. `post` takes the
  // answers.
  ScanThread(io::Disk* disk, const State& state, model::Revision newest_snapshot,
             SnapshotOptions options, std::function<void(io::Event)> post);
  // Ends what still runs with CANCELLED.
  ~ScanThread();

  // Starts once the store holds `at_least`. False: too many wait, and nothing was taken.
  bool Start(io::Scan scan, model::Revision at_least) PANDO_EXCLUDES(mutex_);
  void ReadChanges(model::Revision from, size_t bytes_max) PANDO_EXCLUDES(mutex_);
  // The store holds everything up to `revision`.
  void Stored(model::Revision revision) PANDO_EXCLUDES(mutex_);
  // Takes a snapshot now, if anything has changed since the last.
  void TakeSnapshot() PANDO_EXCLUDES(mutex_);
  // From now on `state` is read, which was installed. Returns once nothing of the state before it
  // is in use: its scans, and those that waited for a revision of it, have ended with UNAVAILABLE.
  // What `state` points to outlives the thread, or the next switch. By the store thread.
  void SwitchTo(const State& state) PANDO_EXCLUDES(mutex_);

 private:
  class SnapshotSink;
  // A scan that waits or runs.
  struct Job {
    io::Scan scan;
    model::Revision at_least;
    base::Instant started;
    std::unique_ptr<TreeDb::View> view;
    size_t range = 0;  // the next to be sought
    bool reading = false;
    std::vector<model::RecordWrite> offered;
    bool ended = false;
  };
  struct ChangesRequest {
    model::Revision from;
    size_t bytes_max = 0;
  };

  // What is read of a State.
  struct Source {
    TreeDb* tree = nullptr;
    ChangeLog* changes = nullptr;
  };

  void Run();
  // Waits for work; false: the end.
  bool Admit(base::Duration patience, std::vector<ChangesRequest>* requests) PANDO_EXCLUDES(mutex_);
  void Answer(const ChangesRequest& request);
  void SwitchIfAsked() PANDO_EXCLUDES(mutex_);
  void StartSnapshotIfDue() PANDO_EXCLUDES(mutex_);
  // One turn; true: it got something done.
  bool Step(Job* job);
  absl::Status FillOffer(Job* job);
  void End(Job* job, const absl::Status& status);

  io::Disk* const disk_;
  const SnapshotOptions options_;
  const std::function<void(io::Event)> post_;

  // The scan thread's own.
  Source source_;
  std::vector<std::unique_ptr<Job>> running_;
  std::unique_ptr<Job> snapshot_;
  model::Revision newest_snapshot_;
  base::Instant snapshot_at_;  // when the last one was taken, or the start
  base::Instant snapshot_not_before_;
  uint64_t snapshot_wal_bytes_ = 0;

  base::Mutex mutex_;
  base::CondVar changed_;
  base::CondVar switched_;
  Source next_source_ PANDO_GUARDED_BY(mutex_);  // null unless a switch is asked for
  std::deque<std::unique_ptr<Job>> waiting_ PANDO_GUARDED_BY(mutex_);
  size_t clients_running_ PANDO_GUARDED_BY(mutex_) = 0;
  std::vector<ChangesRequest> changes_ PANDO_GUARDED_BY(mutex_);
  model::Revision stored_ PANDO_GUARDED_BY(mutex_);
  bool news_ PANDO_GUARDED_BY(mutex_) = false;
  bool snapshot_asked_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pando::store

#endif  // PANDO_STORE_SCAN_THREAD_H_
