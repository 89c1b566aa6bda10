// Drain: an Inbox as a test reads it, in the core's place.
#ifndef PANDO_IO_TESTING_DRAIN_H_
#define PANDO_IO_TESTING_DRAIN_H_

#include <chrono>
#include <vector>

#include "base/time.h"
#include "io/event.h"
#include "io/inbox.h"

namespace pando::io {

// Moves all that is queued to the end of `*events`; waits for something at most `timeout`.
inline void Drain(Inbox* inbox, base::Duration timeout, std::vector<Event>* events) {
  const auto clock = [] {
    return base::Instant{std::chrono::steady_clock::now().time_since_epoch()};
  };
  inbox->Take(clock, clock() + timeout, events);
}

}  // namespace pando::io

#endif  // PANDO_IO_TESTING_DRAIN_H_
