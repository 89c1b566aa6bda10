// DiskThread: io::Log on a Wal. Owns the thread pando-disk, which alone touches the Wal, and the
// thread pando-spare, which makes the next segment's file ready.
//
//   core ── Append, Read, … ──► queue ──► pando-disk ── one batch, one sync ──► Inbox: Persisted
//
// All appends that are queued go into one batch (up to kWalBatchBytesMax): while one sync runs, the
// next batch gathers. The queue needs no bound of its own, because the core bounds what it has
// uncommitted (kUncommittedBytesMax) and asks for one read at a time and follower.
//
// A full disk is waited out: the batch is tried again every `full_retry`, and only a DropPrefix,
// which makes room, may overtake it. Any other failure stops the process.
#ifndef PANDO_POSIX_DISK_THREAD_H_
#define PANDO_POSIX_DISK_THREAD_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "io/disk.h"
#include "io/inbox.h"
#include "io/log.h"
#include "model/ids.h"
#include "posix/thread.h"
#include "wal/wal.h"

namespace pando::posix {

struct DiskThreadOptions {
  base::Duration full_retry = std::chrono::milliseconds(100);
  // DiskSpace is posted this often, and at once when it differs by `space_step_bytes`.
  base::Duration space_interval = std::chrono::seconds(1);
  uint64_t space_step_bytes = uint64_t{16} << 20;
};

// Numbers for metrics. Thread-safe.
struct DiskGauges {
  uint64_t wal_bytes = 0;
  uint64_t written_bytes = 0;
  uint64_t batches = 0;
  uint64_t retired_segments = 0;
};

class DiskThread : public io::Log {
 public:
  // `disk` is the one that `wal` is on. Both it and `inbox` outlive this.
  DiskThread(std::unique_ptr<wal::Wal> wal, io::Disk* disk, io::Inbox* inbox,
             DiskThreadOptions options = {});
  // Writes what is queued, but does not wait for room on a full disk; then joins the threads.
  ~DiskThread() override;

  void Append(io::Append append) override PANDO_EXCLUDES(mutex_);
  void DropPrefix(model::Revision first_kept) override PANDO_EXCLUDES(mutex_);
  void Read(model::Revision first, size_t bytes_max) override PANDO_EXCLUDES(mutex_);
  void Reset(model::Revision last, model::Term last_term) override PANDO_EXCLUDES(mutex_);

  DiskGauges gauges() const;

 private:
  struct DropOrder {
    model::Revision first_kept;
  };
  struct ReadOrder {
    model::Revision first;
    size_t bytes_max = 0;
  };
  struct ResetOrder {
    wal::Position last;
  };
  using Order = std::variant<io::Append, DropOrder, ReadOrder, ResetOrder>;

  void Push(Order order) PANDO_EXCLUDES(mutex_);
  // pando-disk
  void Run();
  bool WaitForOrders(std::deque<Order>* orders) PANDO_EXCLUDES(mutex_);
  void Obey(std::deque<Order>* orders);
  void WriteFront(std::deque<Order>* orders);
  void ResetTo(wal::Position last, std::deque<Order>* orders);
  void DropTo(model::Revision first_kept);
  void ReadFrom(const ReadOrder& order);
  bool UntilThereIsRoom(std::deque<Order>* orders, std::string_view what,
                        const std::function<absl::Status()>& step,
                        const std::function<void()>& meanwhile);
  bool WaitOutFullDisk(std::deque<Order>* orders) PANDO_EXCLUDES(mutex_);
  bool IsIdle(const std::deque<Order>& orders) PANDO_EXCLUDES(mutex_);
  void DropAhead(const std::vector<io::Append>& batch, const std::deque<Order>& orders);
  void TellSpace(bool due);
  void UpdateGauges();
  void WakeSpares() PANDO_EXCLUDES(mutex_);
  // pando-spare
  void RunSpares();
  bool WaitForSpares() PANDO_EXCLUDES(mutex_);
  bool PauseSpares() PANDO_EXCLUDES(mutex_);

  const std::unique_ptr<wal::Wal> wal_;
  io::Disk* const disk_;
  io::Inbox* const inbox_;
  const DiskThreadOptions options_;

  base::Mutex mutex_;
  base::CondVar filled_;
  base::CondVar spares_wanted_;
  std::deque<Order> orders_ PANDO_GUARDED_BY(mutex_);
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  bool tend_spares_ PANDO_GUARDED_BY(mutex_) = true;

  // pando-disk's own.
  uint64_t told_free_bytes_ = 0;
  base::Instant told_at_;

  std::atomic<uint64_t> wal_bytes_;
  std::atomic<uint64_t> written_bytes_;
  std::atomic<uint64_t> batches_;
  std::atomic<uint64_t> retired_segments_;

  // Last: they run from here on.
  Thread disk_thread_;
  Thread spare_thread_;
};

}  // namespace pando::posix

#endif  // PANDO_POSIX_DISK_THREAD_H_
