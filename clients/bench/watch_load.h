// RunWatchLoad: watches of one node, and a writer that sets it. An event's latency counts from when
// the write that caused it was sent, so it has in it all that a watcher waits for.
//
// The n-th event of a watch is taken for the n-th write's: so writes must be applied in the order
// in which they are sent. The load fails if a watch does not get all of them.
#ifndef PANDO_CLIENTS_BENCH_WATCH_LOAD_H_
#define PANDO_CLIENTS_BENCH_WATCH_LOAD_H_

#include <vector>

#include "base/status.h"
#include "bench/connection.h"
#include "bench/pump.h"

namespace pando::load {

struct WatchTallies {
  Tally writes;
  Tally events;
};

// `watches` are spread evenly over `watchers`. The writer's pump is that of `options`.
absl::StatusOr<WatchTallies> RunWatchLoad(Loop* loop, const std::vector<Connection*>& watchers,
                                          size_t watches, Connection* writer,
                                          const Workload& workload, PumpOptions options);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_WATCH_LOAD_H_
