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

StoreThread::StoreThread(io::Disk* disk, State state, model::Revision newest_snapshot,
                         StoreOptions options, std::function<void(io::Event)> post)
    : options_(std::move(options)),
      post_(std::move(post)),
      state_(std::move(state)),
      last_window_at_(Now() - options_.interval),
      written_(state_.tree->mark().revision),
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
  const base::MutexLock lock(&mutex_);
  CHECK(write.revision > written_);
  written_ = write.revision;
  unstored_bytes_ += bytes;
  ++unstored_revisions_;
  const bool idle = windows_.empty();
  if (idle || windows_.back().bytes >= model::kStoreWindowBytesMax) windows_.emplace_back();
  Window& window = windows_.back();
  window.writes.push_back(std::move(write));
  window.bytes += bytes;
  if (idle || window.bytes >= model::kStoreWindowBytesMax) due_.NotifyOne();
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

void StoreThread::Run() {
  pthread_setname_np(pthread_self(), "pando-store");
  Window window;
  while (TakeWindow(&window)) {
    last_window_at_ = Now();
    if (!Store(window)) return;
    Tell(window, Now() - last_window_at_);
    window = Window();
  }
}

bool StoreThread::TakeWindow(Window* window) {
  const base::MutexLock lock(&mutex_);
  while (true) {
    if (windows_.empty()) {
      flush_asked_ = false;
      if (stopping_) return false;
      due_.Wait(&mutex_);
      continue;
    }
    const base::Duration early = last_window_at_ + options_.interval - Now();
    const bool full = windows_.front().bytes >= model::kStoreWindowBytesMax;
    if (full || flush_asked_ || stopping_ || early <= base::Duration(0)) break;
    due_.WaitFor(&mutex_, early);
  }
  *window = std::move(windows_.front());
  windows_.pop_front();
  return true;
}

// False: the disk is still full at the end. The WAL has what is lost here.
bool StoreThread::Store(const Window& window) {
  base::LogLimit limit(kFullLogInterval);
  while (true) {
    const absl::Status status = StoreWindow(state_, window.writes);
    if (status.ok()) return true;
    if (!absl::IsResourceExhausted(status)) {
      base::Fatal(absl::StrCat("store: ", status.ToString()));
    }
    uint64_t suppressed = 0;
    if (limit.Due(Now(), &suppressed)) {
      base::Log(base::Severity::kWarning, "disk full, the store waits",
                {{"error", status.ToString()}, {"unstored", window.writes.back().revision}});
    }
    const base::MutexLock lock(&mutex_);
    if (stopping_) return false;
    const base::Instant again = Now() + options_.full_retry;
    while (!stopping_ && Now() < again) due_.WaitFor(&mutex_, again - Now());
  }
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
    unstored_bytes_ -= window.bytes;
    unstored_revisions_ -= window.writes.size();
    progress.unstored_bytes = unstored_bytes_;
    progress.unstored_revisions = unstored_revisions_;
  }
  post_(io::Stored{revision, state_.changes->oldest()});
  scans_->Stored(revision);
  if (options_.on_stored) options_.on_stored(progress);
}

}  // namespace pando::store
