// Schedule: when each operation of an open loop falls due: at a steady rate, whatever the server
// does. Latencies count from then on, so a server that stalls is not spared the operations that
// would have come meanwhile ("coordinated omission"). Pure.
#ifndef PANDO_CLIENTS_BENCH_SCHEDULE_H_
#define PANDO_CLIENTS_BENCH_SCHEDULE_H_

#include <cstdint>

#include "base/time.h"

namespace pando::load {

class Schedule {
 public:
  // The first falls due at `start`. REQUIRES: rate_per_second > 0.
  Schedule(base::Instant start, double rate_per_second);

  // Of operation 0, 1, 2, …: not summed up from one to the next, so that no error adds up.
  base::Instant DueAt(uint64_t number) const;
  // How many have fallen due by `now`: the number of the first that has not.
  uint64_t DueBy(base::Instant now) const;

 private:
  const base::Instant start_;
  const double rate_per_second_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_SCHEDULE_H_
