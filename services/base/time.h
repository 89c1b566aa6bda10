// The two clocks. They never mix: one counts, the other tells the date.
#ifndef PANDO_BASE_TIME_H_
#define PANDO_BASE_TIME_H_

#include <chrono>
#include <compare>
#include <cstdint>

namespace pando::base {

using Duration = std::chrono::nanoseconds;

// Monotonic time of one process; only differences mean anything. Cores take it as an argument.
struct Instant {
  Duration since_start{0};

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return {t.since_start + d}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return {t.since_start - d}; }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};
inline constexpr Instant kNever{Duration::max()};

// Milliseconds since 1970 by a server's wall clock. It only stamps commands; no timeout reads it.
struct WallTime {
  int64_t ms = 0;
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

}  // namespace pando::base

#endif  // PANDO_BASE_TIME_H_
