#include "sim/sim_server.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "machine/machine.h"

namespace pando::sim {
namespace {

constexpr model::ServerId kServer(1);

bool Same(const model::ChangeBatch* a, const model::ChangeBatch* b) {
  if (a == nullptr || b == nullptr) return a == b;
  if (a->changes.size() != b->changes.size()) return false;
  for (size_t i = 0; i < a->changes.size(); ++i) {
    const model::Change& x = a->changes[i];
    const model::Change& y = b->changes[i];
    if (x.kind != y.kind || x.path != y.path || x.stat != y.stat || x.data != y.data ||
        *x.acl != *y.acl || *x.parent_acl != *y.parent_acl) {
      return false;
    }
  }
  return true;
}

}  // namespace

class SimServer::Egress : public io::Egress {
 public:
  void Send(std::vector<Parcel> parcels) override {
    for (Parcel& parcel : parcels) parcel.sink->Deliver(std::move(parcel.completions));
  }
};

// Tells the server of every write before the store has it.
class SimServer::CheckedStore : public io::Store {
 public:
  CheckedStore(SimServer* server, SimStore* store) : server_(server), store_(store) {}
  void Write(io::StoreWrite write) override {
    server_->Applied(write);
    store_->Write(std::move(write));
  }
  void ReadChanges(model::Revision from, size_t bytes_max) override {
    store_->ReadChanges(from, bytes_max);
  }
  void StartScan(io::Scan scan) override { store_->StartScan(std::move(scan)); }
  void Install(io::InstallId install) override { store_->Install(install); }
  void Discard(io::InstallId install) override { store_->Discard(install); }

 private:
  SimServer* const server_;
  SimStore* const store_;
};

struct SimServer::Life {
  uint64_t number = 0;
  Egress egress;
  std::unique_ptr<SimStore> store;
  std::unique_ptr<CheckedStore> checked_store;
  std::unique_ptr<SimLog> log;
  std::unique_ptr<replica::Replica> replica;
  std::vector<io::Event> inbox;
  base::Instant next_turn = base::kNever;
};

SimServer::SimServer(Schedule* schedule, base::Rng rng, SimServerOptions options)
    : schedule_(schedule),
      rng_(rng),
      options_(std::move(options)),
      storage_(rng_.Next() | 1),
      disk_(std::make_unique<SimDisk>()) {}

SimServer::~SimServer() = default;

// The first wall clock reading is far from zero, as in life.
base::WallTime SimServer::Wall() const {
  return {1'700'000'000'000 + schedule_->now().since_start.count() / 1'000'000};
}

void SimServer::Start() {
  CHECK(!running());
  auto life = std::make_unique<Life>();
  life->number = ++lives_;
  const auto post = [this, number = life->number](io::Event event) {
    if (life_ != nullptr && life_->number == number) Post(std::move(event));
  };

  auto machine = std::make_unique<machine::Machine>();
  for (const auto& [key, value] : stored_.records) {
    const absl::Status loaded = machine->Load(key, value);
    CHECK(loaded.ok());
  }
  const absl::Status loaded = machine->FinishLoad(stored_.revision, stored_.digest);
  CHECK(loaded.ok());

  wal::Options wal_options;
  wal_options.segment_bytes = options_.wal_segment_bytes;
  wal_options.keep_from = stored_.revision + 1;
  if (const auto reset = std::exchange(stored_.wal_reset, std::nullopt)) {
    wal_options.reset = wal::Position{reset->first, reset->second};
  }
  wal::Recovered log;
  absl::StatusOr<std::unique_ptr<wal::Wal>> wal =
      wal::Wal::Open(disk_.get(), "wal", wal_options, base::Rng(rng_.Next()), &log);
  CHECK(wal.ok());
  CHECK(log.first_on_disk <= stored_.revision + 1);
  CHECK((*wal)->last().index >= stored_.revision);
  // What was ever applied had been synced first.
  CHECK(history_.empty() || (*wal)->last().index >= history_.rbegin()->first);

  replica::Options options;
  options.id = kServer;
  options.storage = storage_;
  options.start = log.start_count;
  options.version = "sim";
  options.self = {.id = kServer, .storage = storage_, .peer_address = "sim:1", .version_max = 1};
  options.initial_membership.members = {options.self};
  options.value_bytes_max = options_.value_bytes_max;
  replica::Recovered recovered;
  recovered.machine = std::move(machine);
  recovered.snapshot_revision = stored_.snapshot ? stored_.snapshot->revision : model::Revision();
  recovered.oldest_change = stored_.changes_after + 1;
  recovered.raft = {.term = log.term,
                    .vote = log.vote,
                    .previous = log.previous.index,
                    .previous_term = log.previous.term,
                    .entries = std::move(log.entries),
                    .first_on_disk = log.first_on_disk};

  life->store = std::make_unique<SimStore>(schedule_, base::Rng(rng_.Next()), options_.store,
                                           std::exchange(stored_, {}), post);
  life->checked_store = std::make_unique<CheckedStore>(this, life->store.get());
  life->log = std::make_unique<SimLog>(schedule_, base::Rng(rng_.Next()), options_.disk_delay_max,
                                       *std::move(wal), post);
  replica::Adapters adapters;
  adapters.log = life->log.get();
  adapters.store = life->checked_store.get();
  adapters.egress = &life->egress;
  adapters.post = post;
  life->replica = std::make_unique<replica::Replica>(std::move(options), std::move(recovered),
                                                     std::move(adapters), replica::Observer(),
                                                     base::Rng(rng_.Next()), schedule_->now());
  life_ = std::move(life);
  PlanTurn(schedule_->now());
}

void SimServer::Kill() { Die(false); }
void SimServer::LosePower() { Die(true); }

void SimServer::Die(bool lose_power) {
  CHECK(running());
  stored_ = life_->store->Crash();
  life_.reset();
  disk_ = lose_power ? disk_->Crash(&rng_) : disk_->Kill();
}

void SimServer::Post(io::Event event) {
  if (!running()) return;
  life_->inbox.push_back(std::move(event));
  PlanTurn(schedule_->now());
}

// Only the earliest turn that is planned counts; the others find nothing to do.
void SimServer::PlanTurn(base::Instant at) {
  at = std::max({at, schedule_->now(), paused_until_});
  if (at >= life_->next_turn) return;
  life_->next_turn = at;
  schedule_->At(at, [this, number = life_->number, at] {
    if (life_ == nullptr || life_->number != number || life_->next_turn != at) return;
    life_->next_turn = base::kNever;
    if (schedule_->now() < paused_until_) {
      PlanTurn(paused_until_);
    } else {
      Turn();
    }
  });
}

void SimServer::Turn() {
  Life* const life = life_.get();
  std::vector<io::Event> events = std::exchange(life->inbox, {});
  for (io::Event& event : events) {
    life->replica->Handle(schedule_->now(), Wall(), std::move(event));
  }
  life->replica->Flush(schedule_->now(), Wall());
  const base::Instant next = life->replica->NextDeadline();
  if (next == base::kNever) return;
  // A core that is due at once all the time would stop virtual time.
  PlanTurn(std::max(next, schedule_->now() + std::chrono::microseconds(100)));
}

void SimServer::Applied(const io::StoreWrite& write) {
  const auto [place, fresh] =
      history_.try_emplace(write.revision, Record{write.digest, write.changes});
  if (fresh) return;
  CHECK(place->second.digest == write.digest);
  CHECK(Same(place->second.changes.get(), write.changes.get()));
}

SimStore* SimServer::store() {
  CHECK(running());
  return life_->store.get();
}

const replica::Replica& SimServer::replica() const {
  CHECK(running());
  return *life_->replica;
}

replica::Gauges SimServer::gauges() const { return replica().gauges(); }

}  // namespace pando::sim
