#include "posix/clock.h"

#include <time.h>

#include <chrono>

#include "base/check.h"

namespace pando::posix {
namespace {

timespec Read(clockid_t clock) {
  timespec now{};
  CHECK(clock_gettime(clock, &now) == 0);
  return now;
}

}  // namespace

base::Instant Now() {
  const timespec now = Read(CLOCK_MONOTONIC);
  return {std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)};
}

base::WallTime WallNow() {
  const timespec now = Read(CLOCK_REALTIME);
  return {int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
}

}  // namespace pando::posix
