#include "bench/pump.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::load {

class Pump::Lane : public Wire::Listener {
 public:
  Lane(Pump* pump, Connection* connection)
      : pump_(*pump), connection_(*connection), slots_(pump->options_.outstanding) {
    for (size_t i = slots_.size(); i > 0; --i) free_.push_back(Tag{static_cast<uint32_t>(i - 1)});
    connection_.set_listener(this);
  }
  ~Lane() override { connection_.set_listener(nullptr); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  bool has_room() const { return !free_.empty(); }
  void Flush() { connection_.Flush(); }

  // REQUIRES: has_room().
  void Send(const Operation& operation, uint64_t number, base::Instant started) {
    const Tag tag = free_.back();
    free_.pop_back();
    slots_[static_cast<size_t>(tag)] = {number, started};
    connection_.Ask(operation, tag);
  }

  void OnReady() override {}
  void OnEvents(Tag, size_t) override {}
  void OnAnswer(Tag tag, Outcome outcome, std::string_view why) override {
    Slot& slot = slots_[static_cast<size_t>(tag)];
    if (outcome == Outcome::kExists && pump_.options_.sets_what_exists && !slot.sets) {
      slot.sets = true;
      pump_.workload_.Make(slot.number, &pump_.scratch_);
      pump_.scratch_.kind = Operation::Kind::kSet;
      connection_.Ask(pump_.scratch_, tag);
      return;
    }
    const base::Instant now = pump_.loop_->now();
    if (outcome == Outcome::kDone) {
      pump_.tally_.Answer(slot.started, now);
    } else {
      pump_.tally_.Failure(slot.started, now, why);
    }
    free_.push_back(tag);
    pump_.OnAnswered(this, now);
  }

 private:
  // An operation that is under way.
  struct Slot {
    uint64_t number = 0;
    base::Instant started;
    bool sets = false;  // it was a create
  };

  Pump& pump_;
  Connection& connection_;
  std::vector<Slot> slots_;  // by tag
  std::vector<Tag> free_;
};

Pump::Pump(Loop* loop, const std::vector<Connection*>& connections, const Workload& workload,
           PumpOptions options)
    : loop_(loop),
      workload_(workload),
      options_(std::move(options)),
      started_(loop->now()),
      tally_(started_ + options_.warmup, started_ + options_.warmup + options_.duration),
      operations_(std::min(options_.operations, workload.size())),
      begin_alarm_(loop),
      due_alarm_(loop),
      end_alarm_(loop),
      silence_alarm_(loop, options_.silence_max, "the servers have fallen silent") {
  CHECK(!connections.empty());
  CHECK(options_.outstanding > 0);
  if (options_.rate > 0) {
    schedule_.emplace(started_, options_.rate);
    operations_ = std::min(operations_, schedule_->DueBy(tally_.end() - base::Duration(1)));
  }
  for (Connection* connection : connections) lanes_.emplace_back(this, connection);
}

Pump::~Pump() = default;

absl::StatusOr<Tally> Pump::Run() {
  begin_alarm_.Set(tally_.begin(), options_.on_begin);
  end_alarm_.Set(tally_.end(), [this] {
    if (schedule_) SendDue();  // what has fallen due in the last moment
    over_ = true;
    FinishIfDone();
  });
  silence_alarm_.Start([this] { return under_way_ > 0; });
  if (schedule_) {
    SendDue();
  } else {
    SendAll();
  }
  FinishIfDone();
  PANDO_RETURN_IF_ERROR(loop_->Run());
  CountUnsent();
  return std::move(tally_);
}

bool Pump::due(base::Instant now) const {
  return !exhausted() && (!schedule_ || schedule_->DueAt(next_) <= now);
}

void Pump::SendNext(Lane* lane, base::Instant now) {
  workload_.Make(next_, &scratch_);
  if (options_.on_sent) options_.on_sent(next_, now);
  const base::Instant started = schedule_ ? schedule_->DueAt(next_) : now;
  ++under_way_;
  // Before it is sent: the answer may come from within.
  const uint64_t number = next_++;
  lane->Send(scratch_, number, started);
}

void Pump::SendAll() {
  for (Lane& lane : lanes_) {
    while (!exhausted() && lane.has_room()) SendNext(&lane, loop_->now());
    lane.Flush();
  }
}

// The lanes in turn, but for those that have no room.
void Pump::SendDue() {
  const base::Instant now = loop_->now();
  size_t full = 0;
  while (due(now) && full < lanes_.size()) {
    Lane& lane = lanes_[turn_];
    turn_ = (turn_ + 1) % lanes_.size();
    if (!lane.has_room()) {
      ++full;
      continue;
    }
    full = 0;
    SendNext(&lane, now);
    lane.Flush();
  }
  waits_for_room_ = full > 0;
  if (!waits_for_room_) AwaitDue();
}

void Pump::AwaitDue() {
  waits_for_room_ = false;
  if (!exhausted()) due_alarm_.Set(schedule_->DueAt(next_), [this] { SendDue(); });
}

void Pump::OnAnswered(Lane* lane, base::Instant now) {
  --under_way_;
  silence_alarm_.OnAnswer();
  // The connection flushes what is asked here.
  if (!schedule_ || waits_for_room_) {
    if (due(now)) {
      SendNext(lane, now);
    } else if (schedule_) {
      AwaitDue();
    }
  }
  FinishIfDone();
}

void Pump::FinishIfDone() {
  if (exhausted() && under_way_ == 0) loop_->Finish();
}

void Pump::CountUnsent() {
  const base::Instant now = loop_->now();
  for (; schedule_ && next_ < operations_; ++next_) tally_.Unsent(schedule_->DueAt(next_), now);
}

}  // namespace pando::load
