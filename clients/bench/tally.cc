#include "bench/tally.h"

#include <algorithm>
#include <chrono>

namespace pando::load {

void Tally::Answer(base::Instant started, base::Instant answered) {
  if (!counts(started)) return;
  ++answered_;
  latencies_.Add(answered - started);
  last_ = std::max(last_, answered);
  const auto second =
      static_cast<size_t>(std::chrono::floor<std::chrono::seconds>(answered - begin_).count());
  if (by_second_.size() <= second) by_second_.resize(second + 1);
  ++by_second_[second];
}

void Tally::Failure(base::Instant started, base::Instant answered, std::string_view why) {
  if (!counts(started)) return;
  if (failed_++ == 0) first_failure_ = why;
  Answer(started, answered);
}

void Tally::Unsent(base::Instant started, base::Instant now) {
  if (!counts(started)) return;
  ++unsent_;
  latencies_.Add(now - started);
}

double Tally::per_second() const {
  const double seconds = std::chrono::duration<double>(elapsed()).count();
  return seconds > 0 ? static_cast<double>(answered_) / seconds : 0;
}

uint64_t Tally::lowest_second() const {
  if (by_second_.size() < 3) return 0;
  return *std::min_element(by_second_.begin() + 1, by_second_.end() - 1);
}

}  // namespace pando::load
