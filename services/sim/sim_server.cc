#include "sim/sim_server.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "machine/machine.h"
#include "replica/machine_builder.h"

namespace pando::sim {
namespace {

std::string AddressOf(model::ServerId id) { return absl::StrCat("sim:", id.value()); }

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
  std::unique_ptr<io::Peers> peers;
  std::unique_ptr<replica::Replica> replica;
  std::vector<io::Event> inbox;
  base::Instant next_turn = base::kNever;
};

SimServer::SimServer(Schedule* schedule, base::Rng rng, SimServerOptions options)
    : schedule_(schedule),
      rng_(rng),
      options_(std::move(options)),
      storage_(rng_.Next() | 1),
      disk_(std::make_unique<SimDisk>()),
      wall_offset_(options_.wall_offset),
      disk_delay_max_(options_.disk_delay_max) {}

SimServer::~SimServer() = default;

// The first wall clock reading is far from zero, as in life.
base::WallTime SimServer::Wall() const {
  return {1'700'000'000'000 + (schedule_->now().since_start + wall_offset_).count() / 1'000'000};
}

replica::Options SimServer::ReplicaOptions(model::StartCount start) const {
  replica::Options options;
  options.id = options_.id;
  options.storage = storage_;
  options.start = start;
  options.version = "sim";
  options.self = {.id = options_.id,
                  .storage = storage_,
                  .peer_address = AddressOf(options_.id),
                  .version_min = 1,
                  .version_max = options_.machine_version_max};
  for (const model::ServerId id : options_.initial) {
    options.initial_membership.members.push_back(
        id == options_.id ? options.self : model::Member{.id = id, .peer_address = AddressOf(id)});
  }
  for (const model::ServerId id : options_.join) options.join_addresses.push_back(AddressOf(id));
  options.raft = options_.raft;
  options.raft.id = options_.id;
  options.value_bytes_max = options_.value_bytes_max;
  options.unstored_bytes_max = options_.unstored_bytes_max;
  return options;
}

void SimServer::Start() {
  CHECK(!running());
  CHECK(stopped_because_.empty());
  auto life = std::make_unique<Life>();
  life->number = ++lives_;
  const auto post = [this, number = life->number](io::Event event) {
    if (life_ != nullptr && life_->number == number) Post(std::move(event));
  };

  auto machine = std::make_unique<machine::Machine>();
  for (const auto& [key, value] : stored_.records) {
    const absl::Status loaded = machine->Load(key, value);
    if (!loaded.ok()) stopped_because_ = "the tree is damaged";
  }
  if (stopped_because_.empty() && !machine->FinishLoad(stored_.revision, stored_.digest).ok()) {
    stopped_because_ = "the tree is damaged";
  }
  if (!stopped_because_.empty()) return;

  // Somebody makes room for a start; the disk is full again right after it.
  disk_->SetCapacity(std::numeric_limits<uint64_t>::max());
  wal::Options wal_options;
  wal_options.segment_bytes = options_.wal_segment_bytes;
  wal_options.keep_from = stored_.revision + 1;
  wal_options.tail_bytes_max = options_.raft.tail_bytes_max;
  if (const auto reset = std::exchange(stored_.wal_reset, std::nullopt)) {
    wal_options.reset = wal::Position{reset->first, reset->second};
  }
  wal::Recovered log;
  absl::StatusOr<std::unique_ptr<wal::Wal>> wal =
      wal::Wal::Open(disk_.get(), "wal", wal_options, base::Rng(rng_.Next()), &log);
  if (absl::IsDataLoss(wal.status())) {
    stopped_because_ = std::string(wal.status().message());
    return;
  }
  CHECK(wal.ok());
  CHECK(log.first_on_disk <= stored_.revision + 1);
  CHECK((*wal)->last().index >= stored_.revision);
  // What was ever applied had been synced first.
  CHECK(history_.empty() || (*wal)->last().index >= history_.rbegin()->first);

  replica::Recovered recovered;
  recovered.machine = std::move(machine);
  recovered.snapshot_revision = stored_.snapshot ? stored_.snapshot->revision : model::Revision();
  recovered.oldest_change = stored_.changes_after + 1;
  recovered.formation = std::move(log.formation);
  recovered.raft = {.term = log.term,
                    .vote = log.vote,
                    .previous = log.previous.index,
                    .previous_term = log.previous.term,
                    .entries = std::move(log.entries),
                    .first_on_disk = log.first_on_disk};

  SimStoreOptions store_options = options_.store;
  store_options.builder = [] { return std::make_shared<replica::MachineBuilder>(); };
  life->store =
      std::make_unique<SimStore>(schedule_, base::Rng(rng_.Next()), std::move(store_options),
                                 std::exchange(stored_, {}), post);
  life->checked_store = std::make_unique<CheckedStore>(this, life->store.get());
  life->log = std::make_unique<SimLog>(schedule_, base::Rng(rng_.Next()), disk_delay_max_,
                                       *std::move(wal), post);
  if (options_.network != nullptr) {
    life->peers =
        options_.network->Join({.id = options_.id,
                                .address = AddressOf(options_.id),
                                .post = post,
                                .receive = [store = life->store.get()](const io::StateMark& mark) {
                                  auto receiver = store->Receive(mark);
                                  return receiver.ok() ? *std::move(receiver) : nullptr;
                                }});
  }
  replica::Adapters adapters;
  adapters.log = life->log.get();
  adapters.store = life->checked_store.get();
  adapters.peers = life->peers.get();
  adapters.egress = &life->egress;
  adapters.post = post;
  replica::Observer observer;
  observer.on_stop = [this](const std::string& why) { stopped_because_ = why; };
  if (options_.on_event) {
    observer.on_event = [this](const std::string& event) { options_.on_event(options_.id, event); };
  }
  life->replica = std::make_unique<replica::Replica>(
      ReplicaOptions(log.start_count), std::move(recovered), std::move(adapters),
      std::move(observer), base::Rng(rng_.Next()), schedule_->now());
  life_ = std::move(life);
  TellDiskSpace();
  PlanTurn(schedule_->now());
}

void SimServer::Wipe() {
  CHECK(!running());
  disk_ = std::make_unique<SimDisk>();
  stored_ = {};
  history_.clear();
  storage_ = model::StorageId(rng_.Next() | 1);
  stopped_because_.clear();
}

bool SimServer::DamageLog() {
  CHECK(!running());
  absl::StatusOr<std::vector<std::string>> names = disk_->List("wal");
  if (!names.ok()) return false;
  std::erase_if(*names, [](const std::string& name) { return !name.ends_with(".wal"); });
  // Rot in the last batch looks like a torn one: only an older segment is sure to show it.
  if (names->size() < 2) return false;
  disk_->FlipBit("wal/" + (*names)[names->size() - 2], 0, 3);
  return true;
}

bool SimServer::DamageTree() {
  CHECK(!running());
  for (auto& [key, value] : stored_.records) {
    if (value.empty()) continue;
    value[rng_.Below(value.size())] ^= 1;
    return true;
  }
  return false;
}

bool SimServer::Recover() {
  CHECK(!running());
  const std::shared_ptr<const StoredState> snapshot = stored_.snapshot;
  // Where the log was to begin with a received state, it may hold nothing of what was before.
  const bool too_old =
      snapshot == nullptr || (stored_.wal_reset && snapshot->revision < stored_.wal_reset->first);
  if (too_old) return false;
  StoredState state = *snapshot;
  state.snapshot = snapshot;
  state.changes.clear();
  state.changes_bytes = 0;
  state.changes_after = state.revision;
  stored_ = std::move(state);
  return true;
}

void SimServer::SetDiskDelay(base::Duration delay_max) {
  disk_delay_max_ = delay_max;
  if (running()) life_->log->SetDelay(delay_max);
}

void SimServer::SetDiskSpace(DiskSpace space) {
  disk_space_ = space;
  if (running()) TellDiskSpace();
}

void SimServer::TellDiskSpace() {
  const bool full = disk_space_ != DiskSpace::kEnough;
  const bool brimful = disk_space_ == DiskSpace::kBrimful;
  life_->store->SetFull(full);
  disk_->SetCapacity(brimful ? 0 : std::numeric_limits<uint64_t>::max());
  Post(io::DiskSpace{full ? uint64_t{0} : uint64_t{1} << 40});
}

void SimServer::Kill() { Die(false); }
void SimServer::LosePower() { Die(true); }

void SimServer::Die(bool lose_power) {
  CHECK(running());
  if (options_.network != nullptr) options_.network->Leave(options_.id, lose_power);
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
  ++turns_;
  Life* const life = life_.get();
  std::vector<io::Event> events = std::exchange(life->inbox, {});
  for (io::Event& event : events) {
    life->replica->Handle(schedule_->now(), Wall(), std::move(event));
  }
  life->replica->Flush(schedule_->now(), Wall());
  if (!stopped_because_.empty()) return Kill();
  const base::Instant next = life->replica->NextDeadline();
  if (next == base::kNever) return;
  // A core that is due at once all the time would stop virtual time.
  PlanTurn(std::max(next, schedule_->now() + std::chrono::microseconds(100)));
}

void SimServer::Applied(const io::StoreWrite& write) {
  if (options_.on_applied) options_.on_applied(options_.id, write);
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
