#include "sim/sim_log.h"

#include <deque>
#include <iterator>
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
  struct Reset {
    wal::Position last;
    size_t after = 0;  // appends of `queue` that come before it
  };
  std::vector<io::Append> queue;
  std::deque<Reset> resets;
  std::vector<io::Append> batch;  // on its way
  bool planned = false;
  bool ended = false;

  base::Duration Delay() {
    return base::Duration(
        static_cast<int64_t>(rng.Below(static_cast<uint64_t>(delay_max.count()) + 1)));
  }

  void Start() {
    if (batch.empty()) {
      // What comes before a reset is written before it.
      const size_t count = resets.empty() ? queue.size() : resets.front().after;
      const auto end = queue.begin() + static_cast<ptrdiff_t>(count);
      batch.assign(std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
      queue.erase(queue.begin(), end);
      for (Reset& reset : resets) reset.after -= count;
    }
    planned = !batch.empty() || !resets.empty();
    if (!planned) return;
    schedule->After(Delay(), [self = shared_from_this()] {
      if (!self->ended) self->Write();
    });
  }

  void Write() {
    // A full disk is waited out, as on the disk thread.
    if (!batch.empty()) {
      const absl::Status status = wal->Write(batch);
      if (status.ok()) {
        post(io::Persisted{batch.back().id});
        batch.clear();
      }
      Check(status);
    } else {
      const absl::Status status = wal->Reset(resets.front().last.index, resets.front().last.term);
      if (status.ok()) resets.pop_front();
      Check(status);
    }
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
  if (!core_->planned) core_->Start();
}

void SimLog::DropPrefix(model::Revision first_kept) {
  if (core_->ended || !core_->resets.empty()) return;
  core_->Check(core_->wal->DropPrefix(first_kept));
  core_->Check(core_->wal->spares()->Tend());
}

void SimLog::Read(model::Revision first, size_t bytes_max) {
  if (core_->ended) return;
  absl::StatusOr<std::vector<model::Entry>> entries = core_->wal->Read(first, bytes_max);
  CHECK(entries.ok() || absl::IsOutOfRange(entries.status()));
  if (!entries.ok()) entries.emplace();
  core_->post(io::EntriesRead{first, *std::move(entries)});
}

void SimLog::Reset(model::Revision last, model::Term last_term) {
  if (core_->ended) return;
  core_->resets.push_back({{last, last_term}, core_->queue.size()});
  if (!core_->planned) core_->Start();
}

void SimLog::SetDelay(base::Duration delay_max) { core_->delay_max = delay_max; }

const wal::Wal& SimLog::wal() const { return *core_->wal; }
bool SimLog::dead() const { return core_->ended; }

}  // namespace pando::sim
