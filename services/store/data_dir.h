// DataDir: what lies where in a server's data dir, and whose it is (docs/formats/data-dir.md).
//
//   lock          held while a server runs; taken by whoever opens the disk, not here
//   identity      server, storage and cluster id
//   CURRENT       which state-N is in force, and whether the WAL has to be reset to it first
//   wal/          the log
//   state-N/      tree/ and changes/; any other than CURRENT's is left of a crash, and removed
//   snapshots/
//
// identity and CURRENT are short text with a checksum in their last line, replaced as a whole.
// Opened by one thread; then JoinCluster() is one thread's, and what is about states another's:
// they share nothing.
#ifndef PANDO_STORE_DATA_DIR_H_
#define PANDO_STORE_DATA_DIR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/disk.h"
#include "model/ids.h"

namespace pando::store {

struct Identity {
  model::ServerId server;
  model::StorageId storage;
  model::ClusterId cluster;  // none until entry 1 is applied

  friend bool operator==(const Identity&, const Identity&) = default;
};
std::string FormatIdentity(const Identity& identity);
bool ParseIdentity(std::string_view text, Identity* identity);

struct Current {
  // The WAL still has to begin anew after this position: a snapshot was installed. A start does
  // that first.
  struct WalReset {
    model::Revision revision;
    model::Term term;
    friend bool operator==(const WalReset&, const WalReset&) = default;
  };
  uint64_t state = 0;  // the N of state-N
  std::optional<WalReset> wal_reset;

  std::string state_dir() const;
  friend bool operator==(const Current&, const Current&) = default;
};
std::string FormatCurrent(const Current& current);
bool ParseCurrent(std::string_view text, Current* current);

class DataDir {
 public:
  // Opens a dir for `server`, or makes an empty one its own, as `fresh_storage` and at the state
  // `Current{1}`, which is then still to be made. FAILED_PRECONDITION: it belongs to another server
  // or holds other files; both are named. DATA_LOSS: identity or CURRENT is damaged.
  static absl::StatusOr<DataDir> Open(io::Disk* disk, model::ServerId server,
                                      model::StorageId fresh_storage);
  // As it is; NOT_FOUND if it is nobody's yet. For offline tools.
  static absl::StatusOr<DataDir> OpenExisting(io::Disk* disk);

  // Makes an empty dir that of a new server, with the state that `current` names, which is there
  // and synced. The identity comes last: a dir without one is not used.
  [[nodiscard]] static absl::Status Make(io::Disk* disk, const Identity& identity,
                                         const Current& current);

  const Identity& identity() const { return identity_; }
  // None: the dir is new and has no state.
  const std::optional<Current>& current() const { return current_; }

  // Records the cluster, synced. FAILED_PRECONDITION if it has another; both are named.
  [[nodiscard]] absl::Status JoinCluster(model::ClusterId cluster);
  // Puts a state in force, synced. Its own files are synced before the call.
  [[nodiscard]] absl::Status SetCurrent(const Current& current);
  // The number of a state that can be built: its folder is empty or not there.
  [[nodiscard]] absl::StatusOr<uint64_t> NewState();
  // Deletes every state but the one in force. Called at start, once the WAL is known to go with
  // that one: whoever has lost CURRENT must not lose the state too.
  [[nodiscard]] absl::Status DeleteOtherStates();

 private:
  explicit DataDir(io::Disk* disk) : disk_(disk) {}
  absl::Status Read();

  io::Disk* disk_;
  Identity identity_;
  std::optional<Current> current_;
};

}  // namespace pando::store

#endif  // PANDO_STORE_DATA_DIR_H_
