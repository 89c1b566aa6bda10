// RunLoad: a closed loop of Pipelines. Each stream has so many messages under way and sends the
// next when the oldest is answered; so a load asks for what the server gives, no more.
//
// With a pace, messages fall due at fixed times instead, and an operation's latency counts from
// when its message was due, not from when it could be sent: a server that stalls is not spared the
// operations that would have come meanwhile.
//
// One thread does all of it, because it shares the machine with the server that it measures.
#ifndef PANDO_CLIENTS_BENCH_LOAD_H_
#define PANDO_CLIENTS_BENCH_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "bench/latencies.h"
#include "bench/workload.h"

namespace pando::load {

struct LoadOptions {
  std::string endpoint;
  size_t streams = 4;  // each on a connection of its own
  size_t operations_per_message = 256;
  size_t messages_outstanding = 8;   // of each stream
  double operations_per_second = 0;  // the pace; 0: as fast as it goes
  // It ends with whichever comes first.
  base::Duration duration = std::chrono::hours(24);
  uint64_t operations = ~uint64_t{0};
};

struct LoadReport {
  uint64_t answered = 0;
  uint64_t failed = 0;        // of those
  std::string first_failure;  // its reason
  base::Duration elapsed{0};  // from the first message to the last answer
  Latencies latencies;
  std::vector<uint64_t> by_second;  // answered in each whole second

  double operations_per_second() const;
};

// UNAVAILABLE and other statuses of the stream: the load broke off.
absl::StatusOr<LoadReport> RunLoad(const LoadOptions& options, const Workload& workload);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_LOAD_H_
