#include "bench/watch_load.h"

#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pando::load {
namespace {

// The watches of all connections, and what they have seen.
class Watches {
 public:
  Watches(Loop* loop, const std::vector<Connection*>& connections, size_t count);

  // Returns when all are in place.
  absl::Status Place(const Operation& watch, base::Duration timeout);
  // Events count in `tally` from now on.
  void CountIn(Tally* tally) { tally_ = tally; }
  void OnWrite(base::Instant sent) { sent_.push_back(sent); }
  // Returns when each watch has had an event for each write.
  absl::Status AwaitAll(base::Duration timeout);

 private:
  // One connection's.
  class Watcher;

  void OnPlaced();
  void OnEvent(uint64_t write);
  uint64_t missing() const { return sent_.size() * count_ - seen_; }

  Loop* const loop_;
  const size_t count_;
  std::deque<Watcher> watchers_;
  size_t placed_ = 0;
  std::vector<base::Instant> sent_;  // of each write
  uint64_t seen_ = 0;                // events of all watches
  bool awaits_all_ = false;
  Tally* tally_ = nullptr;
};

class Watches::Watcher : public Wire::Listener {
 public:
  Watcher(Watches* watches, Connection* connection, size_t count)
      : watches_(*watches), connection_(*connection), seen_(count) {
    connection_.set_listener(this);
  }
  ~Watcher() override { connection_.set_listener(nullptr); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // First its server catches up, or its watches would see what was written before them.
  void Place(const Operation& watch) {
    watch_ = watch;
    Operation sync = watch;
    sync.kind = Operation::Kind::kSync;
    connection_.Ask(sync, Tag{});
    connection_.Flush();
  }

  void OnReady() override {}
  void OnAnswer(Tag, Outcome outcome, std::string_view why) override {
    if (outcome != Outcome::kDone) {
      watches_.loop_->Fail(absl::UnknownError(absl::StrCat("a watch failed: ", base::View(why))));
    } else if (synced_) {
      watches_.OnPlaced();
    } else {
      synced_ = true;
      for (size_t i = 0; i < seen_.size(); ++i) {
        connection_.Ask(watch_, Tag{static_cast<uint32_t>(i)});
      }
    }
  }
  void OnEvents(Tag tag, size_t count) override {
    uint64_t& seen = seen_[static_cast<size_t>(tag)];
    for (size_t i = 0; i < count; ++i) watches_.OnEvent(seen++);
  }

 private:
  Watches& watches_;
  Connection& connection_;
  Operation watch_;
  bool synced_ = false;
  std::vector<uint64_t> seen_;  // events, by watch
};

Watches::Watches(Loop* loop, const std::vector<Connection*>& connections, size_t count)
    : loop_(loop), count_(count) {
  for (size_t i = 0; i < connections.size(); ++i) {
    const size_t own = count / connections.size() + (i < count % connections.size() ? 1 : 0);
    watchers_.emplace_back(this, connections[i], own);
  }
}

absl::Status Watches::Place(const Operation& watch, base::Duration timeout) {
  for (Watcher& watcher : watchers_) watcher.Place(watch);
  return loop_->RunFor(timeout, "not all watches were in place within --timeout");
}

void Watches::OnPlaced() {
  if (++placed_ == count_) loop_->Finish();
}

void Watches::OnEvent(uint64_t write) {
  if (write >= sent_.size()) {
    return loop_->Fail(absl::DataLossError("a watch saw more changes than there were writes"));
  }
  tally_->Answer(sent_[write], loop_->now());
  ++seen_;
  if (awaits_all_ && missing() == 0) loop_->Finish();
}

absl::Status Watches::AwaitAll(base::Duration timeout) {
  awaits_all_ = true;
  if (missing() == 0) return absl::OkStatus();
  return loop_->RunFor(timeout, "not all events came within --timeout after the last write");
}

}  // namespace

absl::StatusOr<WatchTallies> RunWatchLoad(Loop* loop, const std::vector<Connection*>& watchers,
                                          size_t watches, Connection* writer,
                                          const Workload& workload, PumpOptions options) {
  CHECK(watches >= watchers.size());
  Operation watch;
  workload.Make(0, &watch);
  watch.kind = Operation::Kind::kWatch;
  Watches all(loop, watchers, watches);
  PANDO_RETURN_IF_ERROR(all.Place(watch, options.silence_max));
  options.on_sent = [&all](uint64_t, base::Instant now) { all.OnWrite(now); };
  const base::Duration timeout = options.silence_max;
  Pump pump(loop, {writer}, workload, std::move(options));
  Tally events = pump.EmptyTally();
  all.CountIn(&events);
  absl::StatusOr<Tally> writes = pump.Run();
  if (!writes.ok()) return writes.status();
  PANDO_RETURN_IF_ERROR(all.AwaitAll(timeout));
  return WatchTallies{*std::move(writes), std::move(events)};
}

}  // namespace pando::load
