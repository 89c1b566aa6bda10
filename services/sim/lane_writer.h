// LaneWriter: keeps a lane full of writes that are numbered in their data: they may get lost, but
// never overtake each other; and of LINEARIZABLE reads. One test thread.
#ifndef PANDO_SIM_LANE_WRITER_H_
#define PANDO_SIM_LANE_WRITER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "io/client.h"
#include "model/ids.h"
#include "sim/client_world.h"
#include "sim/sim_server.h"

namespace pando::sim {

class LaneWriter : public io::ReplySink, public std::enable_shared_from_this<LaneWriter> {
 public:
  LaneWriter(ClientWorld* world, base::Rng rng) : world_(world), rng_(rng) {}
  void Start();
  void Stop() { stopping_ = true; }
  void Deliver(std::vector<io::Completion> completions) override;

 private:
  ClientWorld* const world_;
  base::Rng rng_;
  SimServer* server_ = nullptr;
  uint64_t life_ = 0;
  uint64_t lane_ = 0;
  uint64_t sent_ = 0;
  uint64_t next_tag_ = 0;
  std::map<uint64_t, model::Revision> reads_;  // by tag: what somebody had been told before
  bool stopping_ = false;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_LANE_WRITER_H_
