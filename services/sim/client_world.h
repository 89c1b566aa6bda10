// ClientWorld: what the clients of one ensemble share. One test thread.
#ifndef PANDO_SIM_CLIENT_WORLD_H_
#define PANDO_SIM_CLIENT_WORLD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/ids.h"
#include "sim/linearizability.h"
#include "sim/schedule.h"
#include "sim/sim_server.h"
#include "sim/truth.h"

namespace pando::sim {

struct ClientWorld {
  Schedule* schedule = nullptr;
  Truth* truth = nullptr;
  // Some server, running or not; never null.
  std::function<SimServer*()> pick;
  std::vector<Call>* history = nullptr;  // of writes and LINEARIZABLE reads
  std::function<void(const std::string&)> trace;
  uint64_t last_id = 0;  // of streams and lanes
  uint64_t calls = 0;    // made
  model::Revision told;  // the newest revision that anybody was told
  bool quick = false;    // liveness: retries come soon
};

}  // namespace pando::sim

#endif  // PANDO_SIM_CLIENT_WORLD_H_
