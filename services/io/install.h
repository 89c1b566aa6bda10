// Snapshots that arrive: how a state from another server comes into force here.
//
//   peer's thread:  SnapshotReceiver::Take … Finish ──► SnapshotReceived ──► core
//   core:           Store::Install, or Store::Discard if it is not wanted any more
//   store thread:   CURRENT names it, synced ──► Installed ──► core: machine, Raft, Log::Reset
//
// Between Install and Installed the core applies nothing.
#ifndef PANDO_IO_INSTALL_H_
#define PANDO_IO_INSTALL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/store.h"
#include "model/ids.h"
#include "model/record.h"

namespace pando::io {

// What is decoded of a state while its records arrive, so that the core need not do it in one turn.
// Made by the wiring; only the replica knows what is inside. Used by one thread at a time.
class StateBuilder {
 public:
  virtual ~StateBuilder() = default;
  // Records in the order of keys. DATA_LOSS: no record of this program.
  [[nodiscard]] virtual absl::Status Load(std::string_view key, std::string_view value) = 0;
  // After the last one. DATA_LOSS: they are not the state with this digest.
  [[nodiscard]] virtual absl::Status Finish(model::Revision revision, uint64_t digest) = 0;
};

// One snapshot that arrives: the store builds a state beside the one in force. Used by one thread,
// which may wait for the disk. Dropped before Finish it leaves nothing.
class SnapshotReceiver {
 public:
  virtual ~SnapshotReceiver() = default;
  // In the order of keys. DATA_LOSS: these are no records of a state; RESOURCE_EXHAUSTED: the disk
  // is full. After an error it can only be dropped.
  [[nodiscard]] virtual absl::Status Take(const std::vector<model::RecordWrite>& records) = 0;
  // Verified and synced, but not in force: SnapshotReceived is posted, and the core decides.
  // DATA_LOSS: it is no whole state.
  [[nodiscard]] virtual absl::Status Finish() = 0;
};

// Begins to receive a snapshot of `mark`. Given to the adapter of the peers by the wiring;
// thread-safe, and may wait for the disk. RESOURCE_EXHAUSTED: kInstallsMax are arriving already, or
// the disk is full.
using ReceiveSnapshot =
    std::function<absl::StatusOr<std::unique_ptr<SnapshotReceiver>>(const StateMark& mark)>;

}  // namespace pando::io

#endif  // PANDO_IO_INSTALL_H_
