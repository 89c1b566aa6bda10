// StateReceiver: a snapshot that arrives from a peer, built as a state beside the one in force.
// Used by one thread, which waits for the disk.
#ifndef PANDO_STORE_STATE_RECEIVER_H_
#define PANDO_STORE_STATE_RECEIVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/disk.h"
#include "io/install.h"
#include "io/store.h"
#include "model/record.h"
#include "store/data_dir.h"
#include "store/state.h"
#include "store/state_writer.h"

namespace pando::store {

// Verified and synced, but not in force.
struct ReceivedState {
  uint64_t number = 0;  // the N of state-N
  io::StateMark mark;
  State state;

  // What puts it in force: the state, and that the WAL begins anew after it.
  Current ToCurrent() const {
    return {.state = number, .wal_reset = Current::WalReset{mark.revision, mark.term}};
  }
};

// Closes `state` and deletes its folder; what cannot be deleted is left to the next start.
void DeleteState(io::Disk* disk, State state, uint64_t number);

class StateReceiver final : public io::SnapshotReceiver {
 public:
  // Called once: with the whole state by Finish(), with nothing if it is dropped before.
  using OnEnd =
      std::function<void(std::optional<ReceivedState>, std::shared_ptr<io::StateBuilder>)>;

  // Into the folder state-`number`; what is there is left of a crash, and goes. `disk` outlives it.
  static absl::StatusOr<std::unique_ptr<StateReceiver>> Begin(
      io::Disk* disk, uint64_t number, const io::StateMark& mark, const StateOptions& options,
      std::shared_ptr<io::StateBuilder> builder, OnEnd on_end);
  ~StateReceiver() override;

  absl::Status Take(const std::vector<model::RecordWrite>& records) override;
  absl::Status Finish() override;

 private:
  StateReceiver(io::Disk* disk, uint64_t number, const io::StateMark& mark);

  io::Disk* const disk_;
  const uint64_t number_;
  const io::StateMark mark_;
  std::shared_ptr<io::StateBuilder> builder_;
  OnEnd on_end_;
  std::unique_ptr<StateWriter> writer_;  // null: Finish() has handed the state over
};

}  // namespace pando::store

#endif  // PANDO_STORE_STATE_RECEIVER_H_
