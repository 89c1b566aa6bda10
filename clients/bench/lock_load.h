// RunLockLoad: connections that contend for one lock. Each takes it, gives it back at once, and
// asks for it again. A hand-over's latency counts from when the lock's release was sent to when the
// next one knew that it had the lock.
#ifndef PANDO_CLIENTS_BENCH_LOCK_LOAD_H_
#define PANDO_CLIENTS_BENCH_LOCK_LOAD_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "bench/connection.h"
#include "bench/pump.h"

namespace pando::load {

// Of `options`, what concerns an open loop has no meaning here. `operations` are hand-overs.
// REQUIRES: two connections at least.
absl::StatusOr<Tally> RunLockLoad(Loop* loop, const std::vector<Connection*>& contenders,
                                  const std::string& lock, PumpOptions options);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_LOCK_LOAD_H_
