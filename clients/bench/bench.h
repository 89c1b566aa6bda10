// RunBench: one measurement: connects, prepares what the workload needs, warms up, measures, and
// leaves. Everything happens on the caller's thread.
#ifndef PANDO_CLIENTS_BENCH_BENCH_H_
#define PANDO_CLIENTS_BENCH_BENCH_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "bench/tally.h"

namespace pando::load {

enum class Protocol : uint8_t { kPipeline, kUnary, kZooKeeper, kEtcd };

enum class Load : uint8_t { kCreate, kSet, kGet, kMixed, kList, kMulti, kSession, kLock, kWatch };

struct BenchOptions {
  Load load = Load::kGet;
  Protocol protocol = Protocol::kPipeline;
  std::vector<std::string> endpoints;  // HOST:PORT each; connections are spread evenly over them
  size_t connections = 30;             // of kWatch: that watch; one more writes
  size_t outstanding = 1;              // operations under way on each
  size_t watches = 0;                  // of kWatch, on all connections; at least one on each
  double rate = 0;                     // operations a second of an open loop; 0: a closed loop
  base::Duration warmup = std::chrono::seconds(1);
  // It ends with whichever comes first.
  base::Duration duration = std::chrono::seconds(10);
  uint64_t operations = std::numeric_limits<uint64_t>::max();
  uint64_t nodes = 10'000;  // that are read and written, or made at most
  size_t data_bytes = 100;
  size_t multi_writes = 10;
  std::string root = "/bench";  // the node under which all nodes are
  std::string run = "1";        // unlike that of another run on the same servers
  bool prepared = false;        // the nodes are there already
  bool linearizable = false;    // reads
  base::Duration timeout = std::chrono::seconds(10);  // for servers that say nothing
  std::vector<pid_t> servers;  // their processes, if they are on this machine
};

struct BenchReport {
  Tally operations;             // of kLock: hand-overs
  std::optional<Tally> events;  // of kWatch
  // While it was measured, from the end of the warming up.
  double client_cpu_seconds = 0;
  double servers_cpu_seconds = 0;           // if any were named
  uint64_t servers_resident_bytes = 0;      // after it
  uint64_t servers_resident_bytes_max = 0;  // since they started
};

// INVALID_ARGUMENT: options that do not go together. UNAVAILABLE: a server cannot be reached,
// breaks off, or says nothing for as long as the timeout. NOT_FOUND: there is no such process.
absl::StatusOr<BenchReport> RunBench(const BenchOptions& options);

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_BENCH_H_
