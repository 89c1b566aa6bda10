// Clients: all connections of a load, which speak one protocol with one server or more.
#ifndef PANDO_CLIENTS_BENCH_CLIENTS_H_
#define PANDO_CLIENTS_BENCH_CLIENTS_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "bench/bench.h"
#include "bench/connection.h"
#include "bench/loop.h"

namespace pando::load {

struct ClientsOptions {
  Protocol protocol = Protocol::kPipeline;
  std::vector<std::string> endpoints;  // HOST:PORT each
  size_t connections = 1;              // spread evenly over the endpoints
  bool linearizable = false;           // reads
  bool needs_session = false;          // each connection, for locks
  base::Duration timeout{0};
};

class Clients {
 public:
  // `loop` outlives it.
  explicit Clients(Loop* loop) : loop_(loop), beat_(loop) {}

  // Returns when all are ready. INVALID_ARGUMENT: a port that is none. UNAVAILABLE: not all servers
  // answer in time.
  absl::Status Connect(const ClientsOptions& options);
  // Ends all sessions of the connections.
  absl::Status Leave();

  const std::vector<Connection*>& all() const { return all_; }
  std::vector<Connection*> First(size_t count) const {
    return {all_.begin(), all_.begin() + static_cast<ptrdiff_t>(count)};
  }

 private:
  void BeatLater();

  Loop* const loop_;
  base::Duration timeout_{0};
  std::deque<Connection> connections_;
  std::vector<Connection*> all_;
  Alarm beat_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_CLIENTS_H_
