// SimServer: one server: the real replica on the real WAL, over a simulated disk and store, under
// virtual time. It may be killed at any moment, or lose its power, and be started again.
//
// Always checked, over all its lives: a revision that is applied again gives the same digest and
// the same changes, and what was once committed is never gone.
//
// One test thread.
#ifndef PANDO_SIM_SIM_SERVER_H_
#define PANDO_SIM_SIM_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
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
#include "model/limits.h"
#include "raft/raft.h"
#include "replica/replica.h"
#include "sim/network.h"
#include "sim/schedule.h"
#include "sim/sim_disk.h"
#include "sim/sim_log.h"
#include "sim/sim_store.h"

namespace pando::sim {

struct SimServerOptions {
  model::ServerId id{1};
  // The first membership of a new ensemble; empty: it joins the one that these are of.
  std::vector<model::ServerId> initial = {model::ServerId(1)};
  std::vector<model::ServerId> join;
  Network* network = nullptr;  // null: an ensemble of one that stays so
  uint32_t machine_version_max = 1;
  raft::Config raft;
  base::Duration wall_offset{0};
  // Every entry, when it is applied here; and what the replica tells of itself.
  std::function<void(model::ServerId, const io::StoreWrite&)> on_applied;
  std::function<void(model::ServerId, const std::string&)> on_event;
  base::Duration disk_delay_max = std::chrono::milliseconds(5);
  uint64_t wal_segment_bytes = uint64_t{256} << 10;
  SimStoreOptions store;
  size_t value_bytes_max = size_t{1} << 20;
  size_t unstored_bytes_max = model::kUnstoredBytesMax;
};

class SimServer {
 public:
  // What was applied at a revision.
  struct Record {
    uint64_t digest = 0;
    std::shared_ptr<const model::ChangeBatch> changes;  // null: none
  };

  // `schedule` and the network outlive it. Not started yet.
  SimServer(Schedule* schedule, base::Rng rng, SimServerOptions options);
  ~SimServer();

  // A damaged disk is found out now; then it does not run: see stopped_because().
  void Start();
  // REQUIRES of both: it runs. Of what was not synced, a power loss keeps some.
  void Kill();
  void LosePower();
  bool running() const { return life_ != nullptr; }
  // It must never run again on its data, and does not; empty: nothing of the kind.
  const std::string& stopped_because() const { return stopped_because_; }
  // An empty disk, under the same id. REQUIRES: it does not run.
  void Wipe();
  // Damage that the next start finds: of a synced record of the log, or of the tree. False: there
  // is nothing that can be damaged so that it shows. REQUIRES: it does not run.
  bool DamageLog();
  bool DamageTree();
  // Goes back to the newest snapshot, as `pandod --recover` does; the log has what came after it.
  // False: there is none that it could begin with. REQUIRES: it does not run.
  bool Recover();
  void MoveWallClock(base::Duration by) { wall_offset_ += by; }
  // From now on, each batch of the log takes up to so long.
  void SetDiskDelay(base::Duration delay_max);
  // Full is what leaves only the reserve; to the brim, not even that.
  enum class DiskSpace : uint8_t { kEnough, kFull, kBrimful };
  void SetDiskSpace(DiskSpace space);
  // It does nothing for so long, as after SIGSTOP; what comes meanwhile waits.
  void Pause(base::Duration duration) { paused_until_ = schedule_->now() + duration; }

  // The binary that the next start runs.
  void SetMachineVersion(uint32_t version_max) { options_.machine_version_max = version_max; }
  uint32_t machine_version_max() const { return options_.machine_version_max; }
  uint64_t lives() const { return lives_; }
  // How often it was woken.
  uint64_t turns() const { return turns_; }
  model::ServerId id() const { return options_.id; }
  model::StorageId storage() const { return storage_; }

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
  void TellDiskSpace();
  replica::Options ReplicaOptions(model::StartCount start) const;

  Schedule* const schedule_;
  base::Rng rng_;
  SimServerOptions options_;
  model::StorageId storage_;
  std::unique_ptr<SimDisk> disk_;
  StoredState stored_;  // while it does not run
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  uint64_t turns_ = 0;
  base::Instant paused_until_;
  base::Duration wall_offset_{0};
  base::Duration disk_delay_max_{0};
  DiskSpace disk_space_ = DiskSpace::kEnough;
  std::string stopped_because_;
  std::map<model::Revision, Record> history_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SIM_SERVER_H_
