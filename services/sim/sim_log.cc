#include "sim/sim_log.h"

#include <optional>
#include <utility>

#include "base/check.h"

namespace pando::sim {

struct SimLog::Core : std::enable_shared_from_this<SimLog::Core> {
  Schedule* schedule = nullptr;
  base::Rng rng{0};
  base::Duration delay_max{0};
  std::unique_ptr<wal::Wal> wal;
  std::function<void(io::Event)> post;
  std::vector<io::Append> queue;
  std::vector<io::Append> batch;  // on its way
  bool ended = false;

  base::Duration Delay() {
    return base::Duration(
        static_cast<int64_t>(rng.Below(static_cast<uint64_t>(delay_max.count()) + 1)));
  }

  void Start() {
    if (batch.empty()) batch = std::exchange(queue, {});
    if (batch.empty()) return;
    schedule->After(Delay(), [self = shared_from_this()] {
      if (!self->ended) self->Write();
    });
  }

  void Write() {
    const absl::Status status = wal->Write(batch);
    // A full disk is waited out, as on the disk thread.
    if (status.ok()) {
      post(io::Persisted{batch.back().id});
      batch.clear();
    }
    Check(status);
    Start();
  }

  void Check(const absl::Status& status) {
    if (!status.ok() && status.code() != absl::StatusCode::kResourceExhausted) ended = true;
  }
};

SimLog::SimLog(Schedule* schedule, base::Rng rng, base::Duration delay_max,
               std::unique_ptr<wal::Wal> wal, std::function<void(io::Event)> post)
    : core_(std::make_shared<Core>()) {
  core_->schedule = schedule;
  core_->rng = rng;
  core_->delay_max = delay_max;
  core_->wal = std::move(wal);
  core_->post = std::move(post);
}

SimLog::~SimLog() { core_->ended = true; }

void SimLog::Append(io::Append append) {
  core_->queue.push_back(std::move(append));
  if (core_->batch.empty()) core_->Start();
}

void SimLog::DropPrefix(model::Revision first_kept) {
  if (core_->ended) return;
  core_->Check(core_->wal->DropPrefix(first_kept));
  core_->Check(core_->wal->spares()->Tend());
}

void SimLog::Read(model::Revision first, size_t bytes_max) {
  if (core_->ended) return;
  absl::StatusOr<std::vector<model::Entry>> entries = core_->wal->Read(first, bytes_max);
  CHECK(entries.ok());
  core_->post(io::EntriesRead{first, *std::move(entries)});
}

void SimLog::Reset(model::Revision last, model::Term last_term) {
  if (core_->ended) return;
  core_->Check(core_->wal->Reset(last, last_term));
}

const wal::Wal& SimLog::wal() const { return *core_->wal; }
bool SimLog::dead() const { return core_->ended; }

}  // namespace pando::sim
