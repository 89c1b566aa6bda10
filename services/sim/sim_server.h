// SimServer: one server: the real replica on the real WAL, over a simulated disk and store, under
// virtual time. It may be killed at any moment, or lose its power, and be started again.
//
// Always checked, over all its lives: a revision that is applied again gives the same digest and
// the same changes, and what was once committed is never gone.
//
// One test thread.
#ifndef PANDO_SIM_SIM_SERVER_H_
#define PANDO_SIM_SIM_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "io/client.h"
#include "io/event.h"
#include "model/change.h"
#include "model/ids.h"
#include "replica/replica.h"
#include "sim/schedule.h"
#include "sim/sim_disk.h"
#include "sim/sim_log.h"
#include "sim/sim_store.h"

namespace pando::sim {

struct SimServerOptions {
  base::Duration disk_delay_max = std::chrono::milliseconds(5);
  uint64_t wal_segment_bytes = uint64_t{256} << 10;
  SimStoreOptions store;
  size_t value_bytes_max = size_t{1} << 20;
};

class SimServer {
 public:
  // What was applied at a revision.
  struct Record {
    uint64_t digest = 0;
    std::shared_ptr<const model::ChangeBatch> changes;  // null: none
  };

  // `schedule` outlives it. Not started yet.
  SimServer(Schedule* schedule, base::Rng rng, SimServerOptions options);
  ~SimServer();

  void Start();
  // REQUIRES of both: it runs. Of what was not synced, a power loss keeps some.
  void Kill();
  void LosePower();
  bool running() const { return life_ != nullptr; }
  // It does nothing for so long, as after SIGSTOP; what comes meanwhile waits.
  void Pause(base::Duration duration) { paused_until_ = schedule_->now() + duration; }

  // To its Inbox. Dropped while it does not run.
  void Post(io::Event event);

  SimDisk* disk() { return disk_.get(); }
  SimStore* store();
  // REQUIRES of both: it runs.
  const replica::Replica& replica() const;
  replica::Gauges gauges() const;
  // Everything that was ever applied, by revision.
  const std::map<model::Revision, Record>& history() const { return history_; }

 private:
  class Egress;
  class CheckedStore;
  struct Life;

  void Die(bool lose_power);
  void PlanTurn(base::Instant at);
  void Turn();
  base::WallTime Wall() const;
  void Applied(const io::StoreWrite& write);

  Schedule* const schedule_;
  base::Rng rng_;
  const SimServerOptions options_;
  const model::StorageId storage_;
  std::unique_ptr<SimDisk> disk_;
  StoredState stored_;  // while it does not run
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  base::Instant paused_until_;
  std::map<model::Revision, Record> history_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SIM_SERVER_H_
