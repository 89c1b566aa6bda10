// SimStore: io::Store in memory under virtual time, with the crash rule of io/store.h: a restart
// finds the state of some revision, whole, with every window that was reported as Stored. Both it
// and the real store pass store/store_contract_test.cc. One test thread.
#ifndef PANDO_SIM_SIM_STORE_H_
#define PANDO_SIM_SIM_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "io/event.h"
#include "io/install.h"
#include "io/store.h"
#include "model/ids.h"
#include "sim/schedule.h"

namespace pando::sim {

// All that survives a crash.
struct StoredState {
  std::map<std::string, std::string> records;
  model::Revision revision;
  model::Term term;
  uint64_t digest = 0;
  // Every change of the revisions in (changes_after, revision].
  std::deque<std::shared_ptr<const model::ChangeBatch>> changes;
  model::Revision changes_after;
  size_t changes_bytes = 0;
  // A snapshot was installed, and the WAL still has to begin anew after it; a start does that first
  // (wal::Options::reset), and forgets this.
  std::optional<std::pair<model::Revision, model::Term>> wal_reset;
  // The newest snapshot, for a tree that is lost; null: there is none.
  std::shared_ptr<const StoredState> snapshot;

  io::StateMark mark() const { return {revision, term, digest}; }
};

struct SimStoreOptions {
  base::Duration interval = std::chrono::milliseconds(500);
  // Between the start of a window and its end, or the steps of a scan: uniform up to this.
  base::Duration delay_max = std::chrono::milliseconds(20);
  size_t changes_bytes_max = size_t{1} << 20;
  size_t scan_chunk_bytes = size_t{4} << 10;
  // A snapshot is taken with the first window that ends so many revisions after the last one. Zero:
  // none are taken.
  uint64_t snapshot_revisions = 0;
  // What decodes a snapshot that is received; null: none can be.
  std::function<std::shared_ptr<io::StateBuilder>()> builder;
};

class SimStore final : public io::Store {
 public:
  // `schedule` outlives it. `post` takes what it answers.
  SimStore(Schedule* schedule, base::Rng rng, SimStoreOptions options, StoredState state,
           std::function<void(io::Event)> post);
  ~SimStore() override;

  void Write(io::StoreWrite write) override;
  void ReadChanges(model::Revision from, size_t bytes_max) override;
  void StartScan(io::Scan scan) override;
  void Install(io::InstallId install) override;
  void Discard(io::InstallId install) override;

  // io::ReceiveSnapshot.
  absl::StatusOr<std::unique_ptr<io::SnapshotReceiver>> Receive(const io::StateMark& mark);

  // While the disk is full, nothing more is stored.
  void SetFull(bool full);
  // Ends it; what a restart finds: perhaps with the window or the install in flight. The store
  // answers nothing any more, and its scans are never finished.
  StoredState Crash();

  const StoredState& stored() const;

 private:
  struct Core;
  class Receiver;
  // Shared with what is planned in the schedule, which may outlive the store.
  std::shared_ptr<Core> core_;
};

}  // namespace pando::sim

#endif  // PANDO_SIM_SIM_STORE_H_
