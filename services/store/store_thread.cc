#include "store/store_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "model/limits.h"

namespace pando::store {
namespace {

base::Instant Now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

// A disk that is full for hours is one line a minute.
constexpr base::Duration kFullLogInterval = std::chrono::minutes(1);

}  // namespace

StoreThread::StoreThread(io::Disk* disk, DataDir* dir, State state, model::Revision newest_snapshot,
                         StoreOptions options, std::function<void(io::Event)> post)
    : disk_(disk),
      dir_(dir),
      options_(std::move(options)),
      post_(std::move(post)),
      state_(std::move(state)),
      last_window_at_(Now() - options_.interval),
      written_(state_.tree->mark().revision),
      last_state_(dir->current()->state),
      scans_(
          std::make_unique<ScanThread>(disk, state_, newest_snapshot, options_.snapshots, post_)),
      thread_([this] { Run(); }) {
  CHECK(post_ != nullptr);
}

StoreThread::~StoreThread() {
  {
    const base::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  due_.NotifyOne();
  // The scans still run: a database that has to be reopened waits until they let it go.
  thread_.join();
  scans_.reset();
}

void StoreThread::Write(io::StoreWrite write) {
  const size_t bytes = write.delta.bytes();
  bool due = false;
  {
    const base::MutexLock lock(&mutex_);
    CHECK(write.revision > written_);
    written_ = write.revision;
    unstored_bytes_ += bytes;
    ++unstored_revisions_;
    due = windows_.empty();
    if (due || windows_.back().bytes >= model::kStoreWindowBytesMax) windows_.emplace_back();
    Window& window = windows_.back();
    window.writes.push_back(std::move(write));
    window.bytes += bytes;
    due = due || window.bytes >= model::kStoreWindowBytesMax;
  }
  if (due) due_.NotifyOne();
}

void StoreThread::ReadChanges(model::Revision from, size_t bytes_max) {
  scans_->ReadChanges(from, bytes_max);
}

void StoreThread::StartScan(io::Scan scan) {
  model::Revision at_least;
  {
    const base::MutexLock lock(&mutex_);
    at_least = written_;
    flush_asked_ = true;
  }
  due_.NotifyOne();
  const std::shared_ptr<io::ScanSink> sink = scan.sink;
  if (!scans_->Start(std::move(scan), at_least)) {
    sink->Finish(model::Revision(), absl::ResourceExhaustedError("too many scans wait"));
  }
}

// --- Snapshots that arrive ---------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> StoreThread::Receive(
    const io::StateMark& mark) {
  CHECK(options_.builder != nullptr);
  uint64_t number = 0;
  {
    const base::MutexLock lock(&mutex_);
    if (arriving_ >= model::kInstallsMax) {
      return absl::ResourceExhaustedError("too many snapshots arrive at once");
    }
    ++arriving_;
    number = ++last_state_;
  }
  absl::StatusOr<std::unique_ptr<StateReceiver>> receiver = StateReceiver::Begin(
      disk_, number, mark, options_.states, options_.builder(),
      [this](std::optional<ReceivedState> state, std::shared_ptr<io::StateBuilder> builder) {
        Arrived(std::move(state), std::move(builder));
      });
  if (!receiver.ok()) {
    Arrived(std::nullopt, nullptr);
    return receiver.status();
  }
  return *std::move(receiver);
}

void StoreThread::Arrived(std::optional<ReceivedState> state,
                          std::shared_ptr<io::StateBuilder> builder) {
  io::SnapshotReceived event;
  {
    const base::MutexLock lock(&mutex_);
    if (!state) {
      --arriving_;
      return;
    }
    event = {++last_install_, state->mark, std::move(builder)};
    received_.emplace(event.install, *std::move(state));
  }
  post_(std::move(event));
}

ReceivedState StoreThread::TakeReceived(io::InstallId install) {
  auto received = received_.extract(install);
  CHECK(!received.empty());
  return std::move(received.mapped());
}

void StoreThread::Install(io::InstallId install) {
  const base::MutexLock lock(&mutex_);
  CHECK(!installing_);
  installing_ = true;
  install_ = Installing{install, TakeReceived(install)};
  CHECK(install_->received.mark.revision > written_);
  written_ = install_->received.mark.revision;
  // What is written from here on is of the new state.
  for (const Window& window : windows_) Uncount(window);
  windows_.clear();
  due_.NotifyOne();
}

void StoreThread::Discard(io::InstallId install) {
  const base::MutexLock lock(&mutex_);
  discarded_.push_back(TakeReceived(install));
  due_.NotifyOne();
}

// --- The store thread --------------------------------------------------------------------------

void StoreThread::Run() {
  pthread_setname_np(pthread_self(), "pando-store");
  for (Work work; TakeWork(&work); work = Work()) {
    for (ReceivedState& state : work.discarded) {
      DeleteState(disk_, std::move(state.state), state.number);
      Arrived(std::nullopt, nullptr);
    }
    if (work.install && !PutInForce(*std::move(work.install))) return;
    if (work.window.writes.empty()) continue;
    last_window_at_ = Now();
    if (!Store(work.window)) return;
  }
}

bool StoreThread::TakeWork(Work* work) {
  const base::MutexLock lock(&mutex_);
  base::Duration early{0};
  while (!install_ && discarded_.empty() && !WindowIsDue(&early)) {
    if (!windows_.empty()) {
      due_.WaitFor(&mutex_, early);
      continue;
    }
    flush_asked_ = false;
    if (stopping_) return false;
    due_.Wait(&mutex_);
  }
  // Before any window: those that are there now are of the state to be installed.
  work->install = std::exchange(install_, std::nullopt);
  work->discarded.swap(discarded_);
  if (work->install || !work->discarded.empty()) return true;
  work->window = std::move(windows_.front());
  windows_.pop_front();
  return true;
}

bool StoreThread::WindowIsDue(base::Duration* early) const {
  if (windows_.empty()) return false;
  *early = last_window_at_ + options_.interval - Now();
  const bool full = windows_.front().bytes >= model::kStoreWindowBytesMax;
  return full || flush_asked_ || stopping_ || *early <= base::Duration(0);
}

// False: the disk is still full at the end. The WAL has what is lost here.
bool StoreThread::Store(const Window& window) {
  absl::Status stored;
  const bool done = UntilThereIsRoom(
      [&] {
        stored = StoreWindow(state_, window.writes);
        return stored;
      },
      /*for_old_state=*/true);
  if (!done) return false;
  if (stored.ok()) {
    Tell(window, Now() - last_window_at_);
    return true;
  }
  // It was for a state that is about to be replaced.
  const base::MutexLock lock(&mutex_);
  Uncount(window);
  return true;
}

// False: the disk is still full at the end, and the old state is in force.
bool StoreThread::PutInForce(Installing installing) {
  const Current old = *dir_->current();
  ReceivedState& received = installing.received;
  const bool done = UntilThereIsRoom([&] { return dir_->SetCurrent(received.ToCurrent()); },
                                     /*for_old_state=*/false);
  if (!done) return false;
  scans_->SwitchTo(received.state);
  std::swap(state_, received.state);
  {
    const base::MutexLock lock(&mutex_);
    installing_ = false;
    --arriving_;
  }
  post_(io::Installed{installing.id});
  base::Log(base::Severity::kInfo, "snapshot installed", {{"revision", received.mark.revision}});
  DeleteState(disk_, std::move(received.state), old.state);
  return true;
}

// Calls `step` again as long as the disk is full. `for_old_state`: an Install ends it too. False:
// the end of the thread has come.
bool StoreThread::UntilThereIsRoom(const std::function<absl::Status()>& step, bool for_old_state) {
  base::LogLimit limit(kFullLogInterval);
  while (true) {
    const absl::Status status = step();
    if (status.ok()) return true;
    if (!absl::IsResourceExhausted(status)) {
      base::Fatal(absl::StrCat("store: ", status.ToString()));
    }
    uint64_t suppressed = 0;
    if (limit.Due(Now(), &suppressed)) {
      base::Log(base::Severity::kWarning, "disk full, the store waits",
                {{"error", status.ToString()}});
    }
    const base::MutexLock lock(&mutex_);
    const base::Instant again = Now() + options_.full_retry;
    while (true) {
      if (for_old_state && install_) return true;
      if (stopping_) return false;
      if (Now() >= again) break;
      due_.WaitFor(&mutex_, again - Now());
    }
  }
}

void StoreThread::Uncount(const Window& window) {
  unstored_bytes_ -= window.bytes;
  unstored_revisions_ -= window.writes.size();
}

void StoreThread::Tell(const Window& window, base::Duration taken) {
  const model::Revision revision = window.writes.back().revision;
  StoreProgress progress{.taken = taken,
                         .window_bytes = window.bytes,
                         .window_revisions = window.writes.size(),
                         .change_log_bytes = state_.changes->bytes(),
                         .trimmed_segments = state_.changes->trimmed_segments()};
  {
    const base::MutexLock lock(&mutex_);
    Uncount(window);
    progress.unstored_bytes = unstored_bytes_;
    progress.unstored_revisions = unstored_revisions_;
  }
  post_(io::Stored{revision, state_.changes->oldest()});
  scans_->Stored(revision);
  if (options_.on_stored) options_.on_stored(progress);
}

}  // namespace pando::store
