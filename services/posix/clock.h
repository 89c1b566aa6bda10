// The clocks of this machine. Thread-safe.
#ifndef PANDO_POSIX_CLOCK_H_
#define PANDO_POSIX_CLOCK_H_

#include "base/time.h"

namespace pando::posix {

// CLOCK_MONOTONIC: it does not jump, and stands still while the machine sleeps.
base::Instant Now();
// CLOCK_REALTIME.
base::WallTime WallNow();

}  // namespace pando::posix

#endif  // PANDO_POSIX_CLOCK_H_
