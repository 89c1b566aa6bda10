// Schedule: virtual time, and what happens when. The simulator's only loop runs on it.
// Things due at the same time happen in the order in which they were planned. One test thread.
#ifndef PANDO_SIM_SCHEDULE_H_
#define PANDO_SIM_SCHEDULE_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/container/btree_map.h"
#include "base/check.h"
#include "base/time.h"

namespace pando::sim {

class Schedule {
 public:
  using Action = std::function<void()>;

  base::Instant now() const { return now_; }

  void At(base::Instant when, Action action) {
    CHECK(when >= now_);
    actions_.emplace(std::pair(when, ++last_), std::move(action));
  }
  void After(base::Duration delay, Action action) { At(now_ + delay, std::move(action)); }

  // Does the next thing, if one is due by `until`; otherwise time is `until` and it is false.
  bool Step(base::Instant until) {
    if (actions_.empty() || actions_.begin()->first.first > until) {
      now_ = until;
      return false;
    }
    auto next = actions_.extract(actions_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

  void RunFor(base::Duration duration) {
    const base::Instant until = now_ + duration;
    while (Step(until)) {
    }
  }

 private:
  base::Instant now_;
  uint64_t last_ = 0;
  absl::btree_map<std::pair<base::Instant, uint64_t>, Action> actions_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SCHEDULE_H_
