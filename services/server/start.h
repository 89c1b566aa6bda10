// Start: from what lies in a data dir to what a replica starts with. The order matters and is all
// here: lock, identity, tree, WAL; and what does not fit together is refused by name.
#ifndef PANDO_SERVER_START_H_
#define PANDO_SERVER_START_H_

#include <functional>
#include <memory>

#include "base/status.h"
#include "base/time.h"
#include "model/ids.h"
#include "posix/lock.h"
#include "posix/posix_disk.h"
#include "replica/replica.h"
#include "server/config.h"
#include "store/data_dir.h"
#include "store/state.h"
#include "wal/wal.h"

namespace pando::server {

// Everything that was opened. Members are destroyed in reverse: the lock goes last.
struct Opened {
  std::unique_ptr<posix::PosixDisk> disk;
  std::unique_ptr<posix::Lock> lock;
  std::unique_ptr<store::DataDir> data_dir;
  store::State state;
  std::unique_ptr<wal::Wal> wal;
  model::StartCount start;
  replica::Recovered recovered;
  model::Revision last_entry;  // that the WAL held
};

store::StateOptions StateOptionsOf(const Config& config);

// Opens, or makes, the data dir. `on_sync`: of every sync of the WAL from now on.
absl::StatusOr<Opened> OpenDataDir(const Config& config,
                                   std::function<void(base::Duration)> on_sync);

// pandod --check and --recover: 0, or 1 with what is damaged on stderr.
int CheckDataDir(const Config& config);
int RecoverDataDir(const Config& config);

}  // namespace pando::server

#endif  // PANDO_SERVER_START_H_
