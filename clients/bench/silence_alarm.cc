#include "bench/silence_alarm.h"

namespace pando::load {

void SilenceAlarm::Start(std::function<bool()> awaits) {
  awaits_ = std::move(awaits);
  LookAgain();
}

void SilenceAlarm::LookAgain() {
  alarm_.Set(loop_->now() + silence_max_, [this, before = answers_] {
    if (answers_ == before && awaits_()) loop_->Fail(absl::UnavailableError(complaint_));
    LookAgain();
  });
}

}  // namespace pando::load
