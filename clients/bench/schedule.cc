#include "bench/schedule.h"

#include <cmath>

#include "base/check.h"

namespace pando::load {
namespace {

constexpr double kNsPerSecond = 1e9;

}  // namespace

Schedule::Schedule(base::Instant start, double rate_per_second)
    : start_(start), rate_per_second_(rate_per_second) {
  CHECK(rate_per_second > 0);
}

base::Instant Schedule::DueAt(uint64_t number) const {
  const double ns = static_cast<double>(number) / rate_per_second_ * kNsPerSecond;
  return start_ + base::Duration(static_cast<int64_t>(std::ceil(ns)));
}

uint64_t Schedule::DueBy(base::Instant now) const {
  if (now < start_) return 0;
  const double seconds = static_cast<double>((now - start_).count()) / kNsPerSecond;
  auto count = static_cast<uint64_t>(seconds * rate_per_second_);
  // Rounding may have gone either way.
  while (count > 0 && DueAt(count - 1) > now) --count;
  while (DueAt(count) <= now) ++count;
  return count;
}

}  // namespace pando::load
