#include "sim/sim_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/limits.h"

namespace pando::sim {
namespace {

using Records = std::map<std::string, std::string>;

// A scan that waits or runs.
struct ScanJob {
  io::Scan scan;
  model::Revision at_least;
  base::Instant started;
  io::StateMark mark;
  bool begun = false;
  std::shared_ptr<const Records> records;  // null: it waits
  size_t range = 0;
  std::string next;  // the key to go on from
  std::vector<model::RecordWrite> offered;
};

void ApplyWindow(const std::vector<io::StoreWrite>& window, size_t changes_bytes_max,
                 StoredState* state) {
  for (const io::StoreWrite& write : window) {
    for (const model::RecordWrite& record : write.delta.writes) {
      if (record.value) {
        state->records[record.key] = *record.value;
      } else {
        state->records.erase(record.key);
      }
    }
    if (write.changes == nullptr) continue;
    state->changes.push_back(write.changes);
    state->changes_bytes += write.changes->bytes();
  }
  state->revision = window.back().revision;
  state->term = window.back().term;
  state->digest = window.back().digest;
  while (state->changes_bytes > changes_bytes_max) {
    state->changes_bytes -= state->changes.front()->bytes();
    state->changes_after = state->changes.front()->revision;
    state->changes.pop_front();
  }
}

// Up to `bytes_max` of the ranges from where the job stands.
std::vector<model::RecordWrite> NextChunk(ScanJob* job, size_t bytes_max) {
  std::vector<model::RecordWrite> chunk;
  size_t bytes = 0;
  while (job->range < job->scan.ranges.size()) {
    const io::Scan::Range& range = job->scan.ranges[job->range];
    for (auto it = job->records->lower_bound(std::max(range.begin, job->next));
         it != job->records->end() && (range.end.empty() || it->first < range.end); ++it) {
      model::RecordWrite record{it->first, it->second};
      if (!chunk.empty() && bytes + record.bytes() > bytes_max) {
        job->next = it->first;
        return chunk;
      }
      bytes += record.bytes();
      chunk.push_back(std::move(record));
    }
    job->next.clear();
    ++job->range;
  }
  return chunk;
}

}  // namespace

struct SimStore::Core : std::enable_shared_from_this<SimStore::Core> {
  Core(Schedule* the_schedule, base::Rng the_rng, SimStoreOptions the_options,
       StoredState the_state, std::function<void(io::Event)> the_post)
      : schedule(the_schedule),
        rng(the_rng),
        options(the_options),
        state(std::move(the_state)),
        post(std::move(the_post)),
        written(state.revision),
        last_window_at(schedule->now() - options.interval) {}

  void After(base::Duration delay, void (Core::*step)()) {
    schedule->After(delay, [core = weak_from_this(), step] {
      if (const std::shared_ptr<Core> alive = core.lock(); alive && !alive->crashed) {
        (alive.get()->*step)();
      }
    });
  }
  base::Duration SomeDelay() {
    return base::Duration(rng.Below(static_cast<uint64_t>(options.delay_max.count()) + 1));
  }

  void PlanWindow() {
    if (installing && in_flight.empty()) return PlanInstall();
    if (pending.empty() || !in_flight.empty()) return;
    const bool now = flush_asked || pending_bytes >= model::kStoreWindowBytesMax;
    const base::Instant due = now ? schedule->now() : last_window_at + options.interval;
    After(std::max(due - schedule->now(), base::Duration(0)), &Core::StartWindow);
  }
  // May be planned twice: by the interval and by a scan.
  void StartWindow() {
    if (installing || pending.empty() || !in_flight.empty()) return;
    last_window_at = schedule->now();
    in_flight = std::exchange(pending, {});
    pending_bytes = 0;
    flush_asked = false;
    After(SomeDelay(), &Core::EndWindow);
  }
  void EndWindow() {
    if (full && installing) in_flight.clear();
    if (in_flight.empty()) return PlanWindow();
    if (full) return After(options.interval, &Core::EndWindow);
    ApplyWindow(in_flight, options.changes_bytes_max, &state);
    in_flight.clear();
    post(io::Stored{state.revision, state.changes_after + 1});
    TakeSnapshot();
    StartScans();
    PlanWindow();
  }

  void TakeSnapshot() {
    if (options.snapshot_revisions == 0) return;
    const model::Revision last = state.snapshot ? state.snapshot->revision : model::Revision();
    if (!snapshot_wanted && state.revision < last + options.snapshot_revisions) return;
    snapshot_wanted = false;
    StoredState copy = state;
    copy.snapshot = nullptr;
    state.snapshot = std::make_shared<const StoredState>(std::move(copy));
    post(io::SnapshotTaken{state.revision});
  }

  void PlanInstall() {
    if (!std::exchange(install_planned, true)) After(SomeDelay(), &Core::EndInstall);
  }
  void EndInstall() {
    if (full) return After(options.interval, &Core::EndInstall);
    const io::InstallId id = *installing;
    state = ToInstall();
    received.erase(id);
    --arriving;
    installing.reset();
    install_planned = false;
    // There is none of this state yet, and the log begins with it.
    snapshot_wanted = true;
    post(io::Installed{id});
    EndOldScans();
    PlanWindow();
  }
  // The state with the install that is under way.
  StoredState ToInstall() const {
    StoredState next = received.at(*installing);
    next.snapshot = state.snapshot;
    return next;
  }
  // Those of the state before the install.
  void EndOldScans() {
    const std::vector<std::shared_ptr<ScanJob>> jobs(scans.begin(), scans.end());
    for (const auto& job : jobs) {
      if (job->records == nullptr && job->at_least >= state.revision) continue;
      std::erase(scans, job);
      if (job->records != nullptr) Count(*job, -1);
      job->scan.sink->Finish(job->mark.revision,
                             absl::UnavailableError("the state was replaced by a newer one"));
    }
    StartScans();
  }

  void Count(const ScanJob& job, int change) {
    running += static_cast<size_t>(change);
    if (!job.scan.for_member) clients_running += static_cast<size_t>(change);
  }
  void StartScans() {
    for (auto& job : scans) {
      if (job->records != nullptr || job->at_least > state.revision) continue;
      if (!job->scan.for_member && clients_running == model::kScansMax) continue;
      Count(*job, 1);
      job->started = schedule->now();
      job->mark = state.mark();
      job->records = std::make_shared<const Records>(state.records);
    }
    if (running == 0 || step_planned) return;
    step_planned = true;
    // Never at once: time must pass while a sink is full.
    After(SomeDelay() + std::chrono::microseconds(1), &Core::StepScans);
  }
  void StepScans() {
    step_planned = false;
    // A sink may start another scan from inside its call.
    const std::vector<std::shared_ptr<ScanJob>> jobs(scans.begin(), scans.end());
    for (const auto& job : jobs) {
      if (job->records != nullptr && !StepScan(job.get())) {
        std::erase(scans, job);
        Count(*job, -1);
      }
    }
    if (!scans.empty()) StartScans();
  }
  // False: it is finished.
  bool StepScan(ScanJob* job) {
    const base::Duration taken = schedule->now() - job->started;
    if (taken > std::chrono::milliseconds(model::kScanMsMax)) {
      job->scan.sink->Finish(job->mark.revision,
                             absl::DeadlineExceededError("the scan took too long"));
      return false;
    }
    if (!std::exchange(job->begun, true)) job->scan.sink->Begin(job->mark);
    if (job->offered.empty()) job->offered = NextChunk(job, options.scan_chunk_bytes);
    if (job->offered.empty()) {
      job->scan.sink->Finish(job->mark.revision, absl::OkStatus());
      return false;
    }
    const io::Taken taken_it = job->scan.sink->Take(job->mark.revision, job->offered);
    if (taken_it == io::Taken::kTaken) job->offered.clear();
    if (taken_it != io::Taken::kCancelled) return true;
    job->scan.sink->Finish(job->mark.revision, absl::CancelledError("nobody wants the rest"));
    return false;
  }

  void ReadChanges(model::Revision from, size_t bytes_max) {
    io::ChangesRead read{from, state.changes_after + 1, from - 1, {}};
    size_t bytes = 0;
    if (from > state.changes_after && from <= state.revision) {
      read.through = state.revision;
      for (const auto& batch : state.changes) {
        if (batch->revision < from) continue;
        if (bytes > 0 && bytes + batch->bytes() > bytes_max) {
          read.through = batch->revision - 1;
          break;
        }
        bytes += batch->bytes();
        read.batches.push_back(batch);
      }
    }
    post(std::move(read));
  }

  Schedule* const schedule;
  base::Rng rng;
  const SimStoreOptions options;
  StoredState state;
  const std::function<void(io::Event)> post;
  model::Revision written;
  base::Instant last_window_at;
  bool snapshot_wanted = false;
  std::vector<io::StoreWrite> pending;
  size_t pending_bytes = 0;
  std::vector<io::StoreWrite> in_flight;
  std::deque<std::shared_ptr<ScanJob>> scans;
  // Snapshots that arrive, or wait to be installed.
  size_t arriving = 0;
  std::map<io::InstallId, StoredState> received;
  io::InstallId last_install;
  std::optional<io::InstallId> installing;
  bool install_planned = false;
  size_t running = 0;
  size_t clients_running = 0;  // of those
  bool step_planned = false;
  bool flush_asked = false;
  bool full = false;
  bool crashed = false;
};

class SimStore::Receiver final : public io::SnapshotReceiver {
 public:
  Receiver(std::weak_ptr<Core> core, const io::StateMark& mark,
           std::shared_ptr<io::StateBuilder> builder)
      : core_(std::move(core)), builder_(std::move(builder)) {
    state_.revision = mark.revision;
    state_.term = mark.term;
    state_.digest = mark.digest;
    state_.changes_after = mark.revision;
    state_.wal_reset = {mark.revision, mark.term};
  }
  ~Receiver() override {
    const std::shared_ptr<Core> core = core_.lock();
    if (core && !finished_) --core->arriving;
  }

  absl::Status Take(const std::vector<model::RecordWrite>& records) override {
    CHECK(!finished_);
    for (const model::RecordWrite& record : records) {
      const bool follows = state_.records.empty() ? !record.key.empty()
                                                  : record.key > state_.records.rbegin()->first;
      if (!record.value || !follows) return absl::DataLossError("no record of a state");
      PANDO_RETURN_IF_ERROR(builder_->Load(record.key, *record.value));
      state_.records.emplace(record.key, *record.value);
    }
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    CHECK(!finished_);
    const std::shared_ptr<Core> core = core_.lock();
    if (core == nullptr || core->crashed) return absl::CancelledError("the server is gone");
    const io::StateMark mark = state_.mark();
    PANDO_RETURN_IF_ERROR(builder_->Finish(mark.revision, mark.digest));
    if (core->full) return absl::ResourceExhaustedError("no space left");
    finished_ = true;
    const io::InstallId id = ++core->last_install;
    core->received.emplace(id, std::move(state_));
    core->post(io::SnapshotReceived{id, mark, std::move(builder_)});
    return absl::OkStatus();
  }

 private:
  const std::weak_ptr<Core> core_;
  std::shared_ptr<io::StateBuilder> builder_;
  StoredState state_;
  bool finished_ = false;
};

SimStore::SimStore(Schedule* schedule, base::Rng rng, SimStoreOptions options, StoredState state,
                   std::function<void(io::Event)> post)
    : core_(std::make_shared<Core>(schedule, rng, options, std::move(state), std::move(post))) {}

SimStore::~SimStore() = default;

void SimStore::Write(io::StoreWrite write) {
  CHECK(write.revision > core_->written);
  core_->written = write.revision;
  core_->pending_bytes += write.delta.bytes();
  core_->pending.push_back(std::move(write));
  const bool full = core_->pending_bytes >= model::kStoreWindowBytesMax;
  if (core_->pending.size() == 1 || full) core_->PlanWindow();
}

void SimStore::ReadChanges(model::Revision from, size_t bytes_max) {
  core_->schedule->After(core_->SomeDelay(), [weak = std::weak_ptr<Core>(core_), from, bytes_max] {
    const std::shared_ptr<Core> core = weak.lock();
    if (core && !core->crashed) core->ReadChanges(from, bytes_max);
  });
}

void SimStore::StartScan(io::Scan scan) {
  const bool many = core_->scans.size() >= model::kScansMax + model::kScansQueuedMax;
  if (many && !scan.for_member) {
    scan.sink->Finish(model::Revision(), absl::ResourceExhaustedError("too many scans wait"));
    return;
  }
  if (scan.ranges.empty()) scan.ranges.emplace_back();
  auto job = std::make_shared<ScanJob>();
  job->scan = std::move(scan);
  job->at_least = core_->written;
  core_->scans.push_back(std::move(job));
  core_->flush_asked = true;
  core_->PlanWindow();
  core_->After(base::Duration(0), &Core::StartScans);
}

void SimStore::Install(io::InstallId install) {
  CHECK(!core_->installing);
  const auto received = core_->received.find(install);
  CHECK(received != core_->received.end());
  CHECK(received->second.revision > core_->written);
  core_->written = received->second.revision;
  core_->installing = install;
  core_->pending.clear();
  core_->pending_bytes = 0;
  core_->PlanWindow();
}

void SimStore::Discard(io::InstallId install) {
  CHECK(core_->installing != install);
  CHECK(core_->received.erase(install) == 1);
  --core_->arriving;
}

absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> SimStore::Receive(const io::StateMark& mark) {
  CHECK(core_->options.builder != nullptr);
  if (core_->arriving >= model::kInstallsMax) {
    return absl::ResourceExhaustedError("too many snapshots arrive at once");
  }
  ++core_->arriving;
  return std::make_unique<Receiver>(core_, mark, core_->options.builder());
}

void SimStore::SetFull(bool full) { core_->full = full; }

StoredState SimStore::Crash() {
  core_->crashed = true;
  StoredState found = core_->state;
  if (!core_->in_flight.empty() && !core_->full && core_->rng.Chance(500)) {
    ApplyWindow(core_->in_flight, core_->options.changes_bytes_max, &found);
  }
  if (core_->install_planned && !core_->full && core_->rng.Chance(500)) found = core_->ToInstall();
  return found;
}

const StoredState& SimStore::stored() const { return core_->state; }

}  // namespace pando::sim
