#include "bench/lock_load.h"

#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "bench/silence_alarm.h"

namespace pando::load {
namespace {

class LockLoad {
 public:
  LockLoad(Loop* loop, const std::vector<Connection*>& contenders, const std::string& lock,
           PumpOptions options);

  absl::StatusOr<Tally> Run();

 private:
  class Contender;

  void OnLocked(Contender* contender);
  void OnUnlocked(Contender* contender);

  Loop* const loop_;
  const PumpOptions options_;
  Operation operation_;
  Tally tally_;
  std::deque<Contender> contenders_;
  size_t asking_ = 0;  // contenders that have the lock, wait for it or give it back
  std::optional<base::Instant> released_;
  uint64_t handed_over_ = 0;
  bool over_ = false;
  Alarm begin_;
  Alarm end_;
  SilenceAlarm silence_;
};

class LockLoad::Contender : public Wire::Listener {
 public:
  Contender(LockLoad* load, Connection* connection) : load_(*load), connection_(*connection) {
    connection_.set_listener(this);
  }
  ~Contender() override { connection_.set_listener(nullptr); }
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  void Ask(Operation::Kind kind) {
    load_.operation_.kind = asked_ = kind;
    connection_.Ask(load_.operation_, Tag{});
  }
  void Flush() { connection_.Flush(); }

  void OnReady() override {}
  void OnEvents(Tag, size_t) override {}
  void OnAnswer(Tag, Outcome outcome, std::string_view why) override {
    if (outcome != Outcome::kDone) {
      return load_.loop_->Fail(
          absl::UnknownError(absl::StrCat("the lock failed: ", base::View(why))));
    }
    if (asked_ == Operation::Kind::kLock) {
      load_.OnLocked(this);
    } else {
      load_.OnUnlocked(this);
    }
  }

 private:
  LockLoad& load_;
  Connection& connection_;
  Operation::Kind asked_ = Operation::Kind::kLock;
};

LockLoad::LockLoad(Loop* loop, const std::vector<Connection*>& contenders, const std::string& lock,
                   PumpOptions options)
    : loop_(loop),
      options_(std::move(options)),
      operation_{.paths = {lock}},
      tally_(loop->now() + options_.warmup, loop->now() + options_.warmup + options_.duration),
      begin_(loop),
      end_(loop),
      silence_(loop, options_.silence_max, "nobody got the lock for as long as --timeout") {
  CHECK(contenders.size() > 1);
  for (Connection* connection : contenders) contenders_.emplace_back(this, connection);
}

absl::StatusOr<Tally> LockLoad::Run() {
  begin_.Set(tally_.begin(), options_.on_begin);
  end_.Set(tally_.end(), [this] { over_ = true; });
  silence_.Start([this] { return asking_ > 0; });
  asking_ = contenders_.size();
  for (Contender& contender : contenders_) {
    contender.Ask(Operation::Kind::kLock);
    contender.Flush();
  }
  PANDO_RETURN_IF_ERROR(loop_->Run());
  return std::move(tally_);
}

void LockLoad::OnLocked(Contender* contender) {
  const base::Instant now = loop_->now();
  if (released_) {
    tally_.Answer(*released_, now);
    silence_.OnAnswer();
    if (++handed_over_ == options_.operations) over_ = true;
  }
  released_ = now;
  contender->Ask(Operation::Kind::kUnlock);
}

void LockLoad::OnUnlocked(Contender* contender) {
  if (!over_) return contender->Ask(Operation::Kind::kLock);
  if (--asking_ == 0) loop_->Finish();
}

}  // namespace

absl::StatusOr<Tally> RunLockLoad(Loop* loop, const std::vector<Connection*>& contenders,
                                  const std::string& lock, PumpOptions options) {
  return LockLoad(loop, contenders, lock, std::move(options)).Run();
}

}  // namespace pando::load
