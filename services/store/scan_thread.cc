#include "store/scan_thread.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "model/limits.h"
#include "store/snapshot_file.h"

namespace pando::store {
namespace {

// How soon a sink that was full is asked again. A scan then still moves 50 MB/s.
constexpr base::Duration kFullPatience = std::chrono::milliseconds(5);
// How often the WAL's growth is looked at while nothing else happens.
constexpr base::Duration kIdlePatience = std::chrono::seconds(1);
constexpr base::Duration kScanMax = std::chrono::milliseconds(model::kScanMsMax);

base::Instant Now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

}  // namespace

// Writes a snapshot file from a scan of everything, at a bounded rate.
class ScanThread::SnapshotSink final : public io::ScanSink {
 public:
  SnapshotSink(io::Disk* disk, const SnapshotHeader& header, const SnapshotOptions& options)
      : disk_(disk), header_(header), options_(options), started_(Now()) {}

  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
        SnapshotWriter::Create(disk_, SnapshotPath(header_.mark.revision), header_);
    if (!writer.ok()) return writer.status();
    writer_ = *std::move(writer);
    return absl::OkStatus();
  }

  io::Taken Take(model::Revision revision,
                 const std::vector<model::RecordWrite>& records) override {
    CHECK(revision == header_.mark.revision);
    const double seconds = std::chrono::duration<double>(Now() - started_).count();
    const auto allowed =
        static_cast<uint64_t>(seconds * static_cast<double>(options_.bytes_per_second));
    if (writer_->bytes() > allowed + model::kScanChunkBytesMax) return io::Taken::kFull;
    for (const model::RecordWrite& record : records) {
      if (options_.digest) digest_ += options_.digest(record.key, *record.value);
      status_ = writer_->Add(record.key, *record.value);
      if (!status_.ok()) return io::Taken::kCancelled;
    }
    return io::Taken::kTaken;
  }

  void Finish(model::Revision, absl::Status status) override {
    if (status_.ok()) status_ = std::move(status);
    if (!status_.ok()) return;
    if (options_.digest && digest_ != header_.mark.digest) {
      base::Fatal(absl::StrCat("store: the tree on disk does not have the digest of revision ",
                               header_.mark.revision.value(), "; pandod --check names the file"));
    }
    status_ = writer_->Finish();
    if (status_.ok()) status_ = DeleteOldSnapshots(disk_);
  }

  const absl::Status& status() const { return status_; }
  uint64_t bytes() const { return writer_->bytes(); }
  base::Duration taken() const { return Now() - started_; }

 private:
  io::Disk* const disk_;
  const SnapshotHeader header_;
  const SnapshotOptions& options_;
  const base::Instant started_;
  std::unique_ptr<SnapshotWriter> writer_;
  uint64_t digest_ = 0;
  absl::Status status_;
};

ScanThread::ScanThread(io::Disk* disk, const State& state, model::Revision newest_snapshot,
                       SnapshotOptions options, std::function<void(io::Event)> post)
    : disk_(disk),
      options_(std::move(options)),
      post_(std::move(post)),
      source_{state.tree.get(), state.changes.get()},
      newest_snapshot_(newest_snapshot),
      snapshot_at_(options_.at_once ? Now() - options_.interval : Now()),
      snapshot_not_before_(snapshot_at_),
      snapshot_wal_bytes_(options_.wal_bytes_written ? options_.wal_bytes_written() : 0),
      stored_(state.tree->mark().revision),
      thread_([this] { Run(); }) {}

ScanThread::~ScanThread() {
  {
    const base::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyOne();
  thread_.join();
}

bool ScanThread::Start(io::Scan scan, model::Revision at_least) {
  auto job = std::make_unique<Job>();
  // No range is all of the state.
  if (scan.ranges.empty()) scan.ranges.emplace_back();
  job->scan = std::move(scan);
  job->at_least = at_least;
  job->started = Now();
  {
    const base::MutexLock lock(&mutex_);
    const bool many =
        clients_running_ + waiting_.size() >= model::kScansMax + model::kScansQueuedMax;
    if (many && !job->scan.for_member) return false;
    waiting_.push_back(std::move(job));
    news_ = true;
  }
  changed_.NotifyOne();
  return true;
}

void ScanThread::ReadChanges(model::Revision from, size_t bytes_max) {
  {
    const base::MutexLock lock(&mutex_);
    // The core has at most one read under way for each stream (kStreamsMax).
    changes_.push_back({from, bytes_max});
    news_ = true;
  }
  changed_.NotifyOne();
}

void ScanThread::Stored(model::Revision revision) {
  {
    const base::MutexLock lock(&mutex_);
    stored_ = revision;
    news_ = true;
  }
  changed_.NotifyOne();
}

void ScanThread::TakeSnapshot() {
  {
    const base::MutexLock lock(&mutex_);
    snapshot_asked_ = true;
    news_ = true;
  }
  changed_.NotifyOne();
}

void ScanThread::SwitchTo(const State& state) {
  const base::MutexLock lock(&mutex_);
  next_source_ = {state.tree.get(), state.changes.get()};
  news_ = true;
  changed_.NotifyOne();
  while (next_source_.tree != nullptr) switched_.Wait(&mutex_);
}

void ScanThread::Run() {
  pthread_setname_np(pthread_self(), "pando-scan");
  base::Duration patience{0};
  std::vector<ChangesRequest> requests;
  while (Admit(patience, &requests)) {
    SwitchIfAsked();
    for (const ChangesRequest& request : requests) Answer(request);
    requests.clear();
    StartSnapshotIfDue();
    bool progress = false;
    for (const auto& job : running_) progress = Step(job.get()) || progress;
    if (snapshot_) progress = Step(snapshot_.get()) || progress;
    std::erase_if(running_, [](const auto& job) { return job->ended; });
    if (snapshot_ && snapshot_->ended) snapshot_.reset();
    const bool busy = snapshot_ || !running_.empty();
    patience = progress ? base::Duration(0) : busy ? kFullPatience : kIdlePatience;
  }
  const absl::Status stopped = absl::CancelledError("the server is going away");
  for (const auto& job : running_) End(job.get(), stopped);
  if (snapshot_) End(snapshot_.get(), stopped);
  running_.clear();
  snapshot_.reset();
  std::deque<std::unique_ptr<Job>> waiting;
  {
    const base::MutexLock lock(&mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& job : waiting) End(job.get(), stopped);
}

bool ScanThread::Admit(base::Duration patience, std::vector<ChangesRequest>* requests) {
  const base::MutexLock lock(&mutex_);
  if (patience > base::Duration(0) && !news_ && !stopping_) changed_.WaitFor(&mutex_, patience);
  news_ = false;
  requests->swap(changes_);
  clients_running_ = static_cast<size_t>(std::count_if(
      running_.begin(), running_.end(), [](const auto& job) { return !job->scan.for_member; }));
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const bool for_member = (*it)->scan.for_member;
    const bool stored = (*it)->at_least <= stored_;
    // While the disk is full nothing is stored; a scan that waits too long ends in its first turn.
    const bool waits = !stored && Now() - (*it)->started <= kScanMax;
    if (waits || (!for_member && clients_running_ == model::kScansMax)) {
      ++it;
      continue;
    }
    if (stored) (*it)->started = Now();
    running_.push_back(std::move(*it));
    it = waiting_.erase(it);
    if (!for_member) ++clients_running_;
  }
  return !stopping_;
}

void ScanThread::SwitchIfAsked() {
  Source next;
  std::deque<std::unique_ptr<Job>> waiting;
  {
    const base::MutexLock lock(&mutex_);
    if (next_source_.tree == nullptr) return;
    next = next_source_;
    waiting.swap(waiting_);
  }
  const model::Revision installed = next.tree->mark().revision;
  const absl::Status gone = absl::UnavailableError("the state was replaced by a newer one");
  for (const auto& job : running_) End(job.get(), gone);
  running_.clear();
  if (snapshot_) End(snapshot_.get(), gone);
  snapshot_.reset();
  // Who asked before the switch may not expect what is newer than all it has seen.
  const auto old = std::stable_partition(
      waiting.begin(), waiting.end(), [&](const auto& job) { return job->at_least >= installed; });
  for (auto job = old; job != waiting.end(); ++job) End(job->get(), gone);
  waiting.erase(old, waiting.end());
  source_ = next;
  // The log begins where this state does: until there is a snapshot of it, nothing can rebuild it.
  snapshot_at_ = Now() - options_.interval;

  const base::MutexLock lock(&mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(waiting.begin()),
                  std::make_move_iterator(waiting.end()));
  stored_ = installed;
  news_ = true;
  next_source_ = Source();
  switched_.NotifyAll();
}

void ScanThread::Answer(const ChangesRequest& request) {
  ChangeLog::Reading reading = source_.changes->Read(request.from, request.bytes_max);
  post_(io::ChangesRead{request.from, reading.oldest, reading.through, std::move(reading.batches)});
}

void ScanThread::StartSnapshotIfDue() {
  if (snapshot_) return;
  const base::Instant now = Now();
  const uint64_t wal_bytes = options_.wal_bytes_written ? options_.wal_bytes_written() : 0;
  bool asked = false;
  {
    const base::MutexLock lock(&mutex_);
    asked = snapshot_asked_;
    snapshot_asked_ = false;
    if (stored_ <= newest_snapshot_) return;
  }
  const bool due = now >= snapshot_at_ + options_.interval ||
                   wal_bytes >= snapshot_wal_bytes_ + options_.wal_bytes;
  if (!asked && (!due || now < snapshot_not_before_)) return;
  const model::ClusterId cluster = options_.cluster ? options_.cluster() : model::ClusterId();
  absl::StatusOr<std::unique_ptr<TreeDb::View>> view = source_.tree->TakeView();
  // The disk is full, or the ensemble has just begun.
  if (!view.ok() || !cluster) return;

  const SnapshotHeader header{cluster, (*view)->mark()};
  auto sink = std::make_shared<SnapshotSink>(disk_, header, options_);
  snapshot_ = std::make_unique<Job>();
  snapshot_->scan = {.ranges = {{}}, .sink = sink};
  snapshot_->started = now;
  snapshot_->view = *std::move(view);
  snapshot_wal_bytes_ = wal_bytes;
  if (const absl::Status opened = sink->Open(); !opened.ok()) End(snapshot_.get(), opened);
}

bool ScanThread::Step(Job* job) {
  if (job->ended) return true;
  if (Now() - job->started > kScanMax) {
    End(job, absl::DeadlineExceededError("the scan took too long"));
    return true;
  }
  if (job->view == nullptr) {
    absl::StatusOr<std::unique_ptr<TreeDb::View>> view = source_.tree->TakeView();
    if (!view.ok()) {
      End(job, view.status());
      return true;
    }
    job->view = *std::move(view);
    job->scan.sink->Begin(job->view->mark());
  }
  const absl::Status filled =
      job->view->stale() ? absl::UnavailableError("the store has to be reopened") : FillOffer(job);
  if (!filled.ok() || job->offered.empty()) {
    End(job, filled);
    return true;
  }
  switch (job->scan.sink->Take(job->view->mark().revision, job->offered)) {
    case io::Taken::kTaken:
      job->offered.clear();
      return true;
    case io::Taken::kFull:
      return false;
    case io::Taken::kCancelled:
      End(job, absl::CancelledError("nobody wants the rest of the scan"));
      return true;
  }
  return true;
}

// One chunk of the ranges from where the last one ended, unless one is still on offer.
absl::Status ScanThread::FillOffer(Job* job) {
  if (!job->offered.empty()) return absl::OkStatus();
  size_t bytes = 0;
  while (job->reading || job->range < job->scan.ranges.size()) {
    if (!job->reading) {
      const io::Scan::Range& range = job->scan.ranges[job->range++];
      job->view->Seek(range.begin, range.end);
      job->reading = true;
    }
    const absl::StatusOr<bool> through =
        job->view->Next(model::kScanChunkBytesMax, &bytes, &job->offered);
    if (!through.ok()) return through.status();
    if (!*through) return absl::OkStatus();
    job->reading = false;
  }
  return absl::OkStatus();
}

void ScanThread::End(Job* job, const absl::Status& status) {
  CHECK(!job->ended);
  job->ended = true;
  if (absl::IsDataLoss(status)) base::Fatal(absl::StrCat("store: ", status.ToString()));
  const model::Revision revision = job->view ? job->view->mark().revision : model::Revision();
  // Before the sink is told: a database that has to be reopened waits for the view.
  job->view.reset();
  job->scan.sink->Finish(revision, status);
  if (job != snapshot_.get()) return;

  const auto& sink = static_cast<const SnapshotSink&>(*job->scan.sink);
  if (!sink.status().ok()) {
    base::Log(base::Severity::kWarning, "snapshot failed", {{"error", sink.status().ToString()}});
    snapshot_not_before_ = Now() + options_.retry;
    return;
  }
  newest_snapshot_ = revision;
  snapshot_at_ = Now();
  post_(io::SnapshotTaken{revision});
  if (options_.on_snapshot) options_.on_snapshot(sink.taken(), sink.bytes());
}

}  // namespace pando::store
