#include "posix/disk_thread.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "model/limits.h"
#include "posix/clock.h"

namespace pando::posix {
namespace {

[[noreturn]] void Stop(const absl::Status& status, std::string_view what) {
  base::Fatal(base::Annotate(status, what).ToString());
}

size_t BytesOf(const io::Append& append) {
  size_t bytes = 0;
  for (const raft::EntryRef& entry : append.entries) bytes += entry->bytes();
  return bytes;
}

}  // namespace

DiskThread::DiskThread(std::unique_ptr<wal::Wal> wal, io::Disk* disk, io::Inbox* inbox,
                       DiskThreadOptions options)
    : wal_(std::move(wal)),
      disk_(disk),
      inbox_(inbox),
      options_(options),
      wal_bytes_(wal_->bytes()),
      written_bytes_(wal_->stats().written_bytes),
      batches_(wal_->stats().batches),
      retired_segments_(wal_->stats().retired_segments),
      disk_thread_("pando-disk", [this] { Run(); }),
      spare_thread_("pando-spare", [this] { RunSpares(); }) {}

DiskThread::~DiskThread() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    filled_.NotifyOne();
    spares_wanted_.NotifyOne();
  }
  disk_thread_.Join();
  spare_thread_.Join();
}

void DiskThread::Append(io::Append append) { Push(std::move(append)); }

void DiskThread::DropPrefix(model::Revision first_kept) { Push(DropOrder{first_kept}); }

void DiskThread::Read(model::Revision first, size_t bytes_max) {
  Push(ReadOrder{first, bytes_max});
}

void DiskThread::Reset(model::Revision last, model::Term last_term) {
  Push(ResetOrder{{last, last_term}});
}

DiskGauges DiskThread::gauges() const {
  return {.wal_bytes = wal_bytes_.load(std::memory_order_relaxed),
          .written_bytes = written_bytes_.load(std::memory_order_relaxed),
          .batches = batches_.load(std::memory_order_relaxed),
          .retired_segments = retired_segments_.load(std::memory_order_relaxed)};
}

// Whoever is woken wants the lock: it is released before, or they would sleep again at once.
void DiskThread::Push(Order order) {
  bool first = false;
  {
    base::MutexLock lock(&mutex_);
    CHECK(!stopping_);
    orders_.push_back(std::move(order));
    first = orders_.size() == 1;
  }
  if (first) filled_.NotifyOne();
}

// --- pando-disk -------------------------------------------------------------------------------

void DiskThread::Run() {
  TellSpace(/*due=*/true);
  std::deque<Order> orders;
  while (WaitForOrders(&orders)) {
    Obey(&orders);
    CHECK(orders.empty());
    TellSpace(/*due=*/Now() - told_at_ >= options_.space_interval);
  }
}

// Moves what is queued to `*orders`: nothing, if it is time to tell the space. False: stopping, and
// all is done.
bool DiskThread::WaitForOrders(std::deque<Order>* orders) {
  CHECK(orders->empty());
  base::MutexLock lock(&mutex_);
  while (orders_.empty() && !stopping_) {
    const base::Duration left = options_.space_interval - (Now() - told_at_);
    if (left <= base::Duration::zero()) return true;
    filled_.WaitFor(&mutex_, left);
  }
  orders->swap(orders_);
  return !orders->empty();
}

void DiskThread::Obey(std::deque<Order>* orders) {
  while (!orders->empty()) {
    Order& front = orders->front();
    if (std::holds_alternative<io::Append>(front)) {
      WriteFront(orders);
    } else {
      const Order order = std::move(front);
      orders->pop_front();
      if (const auto* drop = std::get_if<DropOrder>(&order)) {
        DropTo(drop->first_kept);
      } else if (const auto* read = std::get_if<ReadOrder>(&order)) {
        ReadFrom(*read);
      } else {
        ResetTo(std::get<ResetOrder>(order).last, orders);
      }
    }
    UpdateGauges();
    WakeSpares();
  }
}

// Writes the appends at the front as one batch.
void DiskThread::WriteFront(std::deque<Order>* orders) {
  std::vector<io::Append> batch;
  size_t bytes = 0;
  while (!orders->empty() && std::holds_alternative<io::Append>(orders->front())) {
    io::Append& append = std::get<io::Append>(orders->front());
    const size_t more = BytesOf(append);
    if (!batch.empty() && bytes + more > model::kWalBatchBytesMax) break;
    if (!batch.empty()) CHECK(append.id > batch.back().id);
    bytes += more;
    batch.push_back(std::move(append));
    orders->pop_front();
  }
  CHECK(!batch.empty());
  const bool written = UntilThereIsRoom(
      orders, "write the log", [&] { return wal_->Write(batch); },
      [&] { DropAhead(batch, *orders); });
  // Persisted means all before it too: one event a batch, however many appends were in it.
  if (!written) return;
  const bool idle = IsIdle(*orders);
  inbox_->Post(io::Persisted{batch.back().id},
               idle ? io::Inbox::By::kCaller : io::Inbox::By::kCore);
  if (idle) inbox_->Lend();
}

// Nothing waits to be done: the thread can be lent to the core.
bool DiskThread::IsIdle(const std::deque<Order>& orders) {
  base::MutexLock lock(&mutex_);
  return orders.empty() && orders_.empty();
}

void DiskThread::ResetTo(wal::Position last, std::deque<Order>* orders) {
  // What is queued behind it is about the log as it will be: nothing of that can go ahead.
  UntilThereIsRoom(
      orders, "begin the log anew", [&] { return wal_->Reset(last.index, last.term); }, [] {});
}

void DiskThread::DropTo(model::Revision first_kept) {
  if (const absl::Status status = wal_->DropPrefix(first_kept); !status.ok()) {
    Stop(status, "shorten the log");
  }
}

void DiskThread::ReadFrom(const ReadOrder& order) {
  absl::StatusOr<std::vector<model::Entry>> entries = wal_->Read(order.first, order.bytes_max);
  if (!entries.ok()) Stop(entries.status(), "read the log");
  CHECK(!entries->empty());
  inbox_->Post(io::EntriesRead{order.first, *std::move(entries)});
}

// Calls `step` until it succeeds, and `meanwhile` when the disk is full. False: the process stops,
// and nothing more is written.
bool DiskThread::UntilThereIsRoom(std::deque<Order>* orders, std::string_view what,
                                  const std::function<absl::Status()>& step,
                                  const std::function<void()>& meanwhile) {
  bool waited = false;
  while (true) {
    const absl::Status status = step();
    if (status.ok()) break;
    if (!absl::IsResourceExhausted(status)) Stop(status, what);
    if (!waited) base::Log(base::Severity::kWarning, "disk full", {{"error", status.ToString()}});
    waited = true;
    if (!WaitOutFullDisk(orders)) return false;
    meanwhile();
    UpdateGauges();
    WakeSpares();
    TellSpace(/*due=*/Now() - told_at_ >= options_.space_interval);
  }
  if (waited) base::Log(base::Severity::kInfo, "disk has room again");
  return true;
}

// What is ordered meanwhile goes to the end of `*orders`. False: stopping. Then nothing is left in
// `*orders`: what comes after a write that was given up must not be written either.
bool DiskThread::WaitOutFullDisk(std::deque<Order>* orders) {
  const base::Instant until = Now() + options_.full_retry;
  base::MutexLock lock(&mutex_);
  while (!stopping_) {
    const base::Duration left = until - Now();
    if (left <= base::Duration::zero()) {
      std::move(orders_.begin(), orders_.end(), std::back_inserter(*orders));
      orders_.clear();
      return true;
    }
    filled_.WaitFor(&mutex_, left);
  }
  orders->clear();
  orders_.clear();
  return false;
}

// On a full disk `batch` would wait for ever for the room that a DropPrefix behind it makes: that
// one goes ahead. Not ahead of a Reset, which makes it another log; and it leaves what a Read
// before it wants, and where the appends before it go. A Read never goes ahead: appends may cut
// what it finds.
void DiskThread::DropAhead(const std::vector<io::Append>& batch, const std::deque<Order>& orders) {
  model::Revision wanted(std::numeric_limits<uint64_t>::max());
  const auto want_place_of = [&](const io::Append& append) {
    if (!append.entries.empty()) wanted = std::min(wanted, append.entries.front()->index);
  };
  for (const io::Append& append : batch) want_place_of(append);
  model::Revision first_kept;
  for (const Order& order : orders) {
    if (std::holds_alternative<ResetOrder>(order)) break;
    if (const auto* append = std::get_if<io::Append>(&order)) want_place_of(*append);
    if (const auto* read = std::get_if<ReadOrder>(&order)) wanted = std::min(wanted, read->first);
    if (const auto* drop = std::get_if<DropOrder>(&order)) {
      first_kept = std::max(first_kept, std::min(drop->first_kept, wanted));
    }
  }
  if (first_kept) DropTo(first_kept);
}

void DiskThread::TellSpace(bool due) {
  const absl::StatusOr<uint64_t> free = disk_->FreeBytes();
  if (!free.ok()) Stop(free.status(), "ask for the free space");
  const uint64_t step = *free > told_free_bytes_ ? *free - told_free_bytes_  //
                                                 : told_free_bytes_ - *free;
  if (!due && step < options_.space_step_bytes) return;
  told_free_bytes_ = *free;
  told_at_ = Now();
  inbox_->Post(io::DiskSpace{*free});
}

void DiskThread::UpdateGauges() {
  const wal::Stats& stats = wal_->stats();
  wal_bytes_.store(wal_->bytes(), std::memory_order_relaxed);
  written_bytes_.store(stats.written_bytes, std::memory_order_relaxed);
  batches_.store(stats.batches, std::memory_order_relaxed);
  retired_segments_.store(stats.retired_segments, std::memory_order_relaxed);
}

void DiskThread::WakeSpares() {
  if (!wal_->spares()->wants_tending()) return;
  base::MutexLock lock(&mutex_);
  tend_spares_ = true;
  spares_wanted_.NotifyOne();
}

// --- pando-spare ------------------------------------------------------------------------------

void DiskThread::RunSpares() {
  while (WaitForSpares()) {
    const absl::Status status = wal_->spares()->Tend();
    if (status.ok()) continue;
    if (!absl::IsResourceExhausted(status)) Stop(status, "make a spare segment");
    // Trying takes room away from the log, for a moment: not with every batch.
    if (!PauseSpares()) return;
  }
}

// False: stopping.
bool DiskThread::WaitForSpares() {
  base::MutexLock lock(&mutex_);
  while (!tend_spares_ && !stopping_) spares_wanted_.Wait(&mutex_);
  tend_spares_ = false;
  return !stopping_;
}

bool DiskThread::PauseSpares() {
  const base::Instant until = Now() + options_.space_interval;
  base::MutexLock lock(&mutex_);
  while (!stopping_ && Now() < until) spares_wanted_.WaitFor(&mutex_, until - Now());
  tend_spares_ = true;
  return !stopping_;
}

}  // namespace pando::posix
