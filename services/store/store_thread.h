// StoreThread: io::Store on LevelDB and the change log's files.
//
//   core ── Write ──► windows ──► pando-store: change log, LevelDB ──► Stored ──► Inbox
//        ── StartScan, ReadChanges ──► pando-scan (scan_thread.h) ──► sinks, ChangesRead
//   peer ── Receive ──► StateReceiver: state-N ──► SnapshotReceived ──► core
//   core ── Install ──► pando-store: CURRENT, then the old state goes ──► Installed ──► core
//
// What is written is gathered into windows and stored at most once per interval, or as soon as a
// window holds kStoreWindowBytesMax; of each key only the last write of a window reaches LevelDB. A
// scan asks for what was written so far to be stored at once. A full disk is waited out: nothing is
// lost, and Stored simply does not come. Any other failure of the disk stops the process.
#ifndef PANDO_STORE_STORE_THREAD_H_
#define PANDO_STORE_STORE_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/event.h"
#include "io/install.h"
#include "io/store.h"
#include "model/ids.h"
#include "store/data_dir.h"
#include "store/scan_thread.h"
#include "store/state.h"
#include "store/state_receiver.h"

namespace pando::store {

// What a window cost, and what is left to do after it.
struct StoreProgress {
  base::Duration taken{0};
  size_t window_bytes = 0;  // of deltas, before coalescing
  size_t window_revisions = 0;
  size_t unstored_bytes = 0;
  size_t unstored_revisions = 0;
  uint64_t change_log_bytes = 0;
  uint64_t trimmed_segments = 0;  // of the change log, since the start
};

struct StoreOptions {
  base::Duration interval = std::chrono::milliseconds(500);
  // Between tries while the disk is full.
  base::Duration full_retry = std::chrono::milliseconds(500);
  SnapshotOptions snapshots;
  // Of states that are received.
  StateOptions states;
  // What decodes them meanwhile; null: none can be received.
  std::function<std::shared_ptr<io::StateBuilder>()> builder;
  // After every window, on the store thread; may be null.
  std::function<void(const StoreProgress&)> on_stored;
};

class StoreThread final : public io::Store {
 public:
  // Both `disk` and `dir` outlive it; `state` is the one in force, and there is no other.
  // `newest_snapshot`: of those in the data dir, none if there is none. `post` takes events from
  // any thread: Inbox::Post.
  StoreThread(io::Disk* disk, DataDir* dir, State state, model::Revision newest_snapshot,
              StoreOptions options, std::function<void(io::Event)> post);
  // Stores what was written, unless the disk is full, and ends all scans. REQUIRES: what Receive()
  // has given is gone.
  ~StoreThread() override;

  // By the core thread.
  void Write(io::StoreWrite write) override PANDO_EXCLUDES(mutex_);
  void ReadChanges(model::Revision from, size_t bytes_max) override;
  void StartScan(io::Scan scan) override PANDO_EXCLUDES(mutex_);
  void Install(io::InstallId install) override PANDO_EXCLUDES(mutex_);
  void Discard(io::InstallId install) override PANDO_EXCLUDES(mutex_);

  // io::ReceiveSnapshot. Thread-safe.
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> Receive(const io::StateMark& mark)
      PANDO_EXCLUDES(mutex_);
  // Takes a snapshot now, if anything has changed since the last. Thread-safe.
  void TakeSnapshot() { scans_->TakeSnapshot(); }

 private:
  struct Window {
    std::vector<io::StoreWrite> writes;
    size_t bytes = 0;
  };

  struct Installing {
    io::InstallId id;
    ReceivedState received;
  };
  // What the store thread does next: one of the three.
  struct Work {
    std::optional<Installing> install;
    std::vector<ReceivedState> discarded;
    Window window;
  };

  // On the store thread.
  void Run();
  // Waits until something is due; false: the end.
  bool TakeWork(Work* work) PANDO_EXCLUDES(mutex_);
  bool WindowIsDue(base::Duration* early) const PANDO_REQUIRES(mutex_);
  bool Store(const Window& window);
  void Tell(const Window& window, base::Duration taken) PANDO_EXCLUDES(mutex_);
  bool PutInForce(Installing installing);
  bool UntilThereIsRoom(const std::function<absl::Status()>& step, bool for_old_state)
      PANDO_EXCLUDES(mutex_);

  void Uncount(const Window& window) PANDO_REQUIRES(mutex_);
  // A receiver's end: `state` is what it has made.
  void Arrived(std::optional<ReceivedState> state, std::shared_ptr<io::StateBuilder> builder)
      PANDO_EXCLUDES(mutex_);
  ReceivedState TakeReceived(io::InstallId install) PANDO_REQUIRES(mutex_);

  io::Disk* const disk_;
  DataDir* const dir_;
  const StoreOptions options_;
  const std::function<void(io::Event)> post_;
  // The store thread's.
  State state_;
  base::Instant last_window_at_;

  base::Mutex mutex_;
  base::CondVar due_;
  // All but the last are full.
  std::deque<Window> windows_ PANDO_GUARDED_BY(mutex_);
  model::Revision written_ PANDO_GUARDED_BY(mutex_);
  size_t unstored_bytes_ PANDO_GUARDED_BY(mutex_) = 0;
  size_t unstored_revisions_ PANDO_GUARDED_BY(mutex_) = 0;
  bool flush_asked_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  // Snapshots that arrive, were received, or are on their way out.
  size_t arriving_ PANDO_GUARDED_BY(mutex_) = 0;
  std::map<io::InstallId, ReceivedState> received_ PANDO_GUARDED_BY(mutex_);
  std::optional<Installing> install_ PANDO_GUARDED_BY(mutex_);
  bool installing_ PANDO_GUARDED_BY(mutex_) = false;  // until Installed is posted
  std::vector<ReceivedState> discarded_ PANDO_GUARDED_BY(mutex_);
  uint64_t last_state_ PANDO_GUARDED_BY(mutex_);  // the highest N of a state-N so far
  io::InstallId last_install_ PANDO_GUARDED_BY(mutex_);

  std::unique_ptr<ScanThread> scans_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace pando::store

#endif  // PANDO_STORE_STORE_THREAD_H_
