// Event: everything that can happen to a replica. The Inbox carries them to the core thread.
#ifndef PANDO_IO_EVENT_H_
#define PANDO_IO_EVENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "io/client.h"
#include "io/install.h"
#include "io/log.h"
#include "io/peers.h"
#include "io/store.h"
#include "model/change.h"
#include "model/entry.h"
#include "model/ids.h"

namespace pando::io {

// --- From clients' adapters -------------------------------------------------------------------

// The lane's connection is gone; what it has pending still takes effect, unanswered.
struct LaneClosed {
  model::LaneId lane;
};
struct WatchClose {
  model::StreamId stream;
};
// An Outbox that refused a batch has room again.
struct StreamDrained {
  model::StreamId stream;
};

// A scan has handed the state of the stream's targets at `revision` to its Outbox.
struct InitialSent {
  model::StreamId stream;
  model::Revision revision;
};

// --- From the disk thread ---------------------------------------------------------------------

// This append and all before it are on disk.
struct Persisted {
  AppendId id;
};
struct EntriesRead {
  model::Revision first;
  std::vector<model::Entry> entries;
};
// Sent when it changes by much and at least once a second.
struct DiskSpace {
  uint64_t free_bytes = 0;
};

// --- From the store thread --------------------------------------------------------------------

// Everything up to `revision` is in LevelDB, synced.
struct Stored {
  model::Revision revision;
  // The first revision whose changes the change log still has; a cursor below it is COMPACTED.
  model::Revision oldest_change;
};
// A newer complete snapshot of the state exists. The WAL is kept from the older of it and Stored.
struct SnapshotTaken {
  model::Revision revision;
};
struct ChangesRead {
  model::Revision from;
  model::Revision oldest_change;
  // `batches` holds every change of [from, through]: read on from the next revision. Below `from`
  // when the log has nothing from there on; then the rest is in memory or not yet made.
  model::Revision through;
  std::vector<std::shared_ptr<const model::ChangeBatch>> batches;
};

// --- From peers -------------------------------------------------------------------------------

// An incoming channel. What comes in it may be of use at once, or the channel is refused.
struct PeerOpened {
  ChannelId channel;
  PeerHello hello;
};
struct PeerMessages {
  ChannelId channel;
  std::vector<PeerMessage> messages;
  // The adapter's: while it lives, they count as not handled, and with too many of them the channel
  // is not read on. Null: they do not count.
  std::shared_ptr<void> held;
};
// It broke, or was refused. Fast failover starts from it.
struct PeerClosed {
  ChannelId channel;
};
// The channel to this peer is open (again): what was sent before may be lost.
struct PeerReady {
  model::ServerId peer;
};
// The peer does not want this server's channel.
struct PeerRefused {
  model::ServerId peer;
  Refusal refusal = Refusal::kWrongCluster;
  std::string detail;
};
// Peers::SendSnapshot has ended; good: it is synced over there.
struct SnapshotSent {
  model::ServerId to;
  bool good = false;
};
// A snapshot is here, synced but not in force.
struct SnapshotReceived {
  InstallId install;
  StateMark mark;
  std::shared_ptr<StateBuilder> state;
};
// It is in force on disk: a restart would find it.
struct Installed {
  InstallId install;
};

// --- From the process -------------------------------------------------------------------------

// SIGTERM: hand leadership over, end streams, answer nothing new. Who waits for something that is
// not done by `answer_by` is told so then, and whether it may still happen.
struct Shutdown {
  base::Instant answer_by = base::kNever;
};

using Event = std::variant<RequestBatch, LaneClosed, WatchOpen, WatchClose, StreamDrained,
                           InitialSent, Persisted, EntriesRead, DiskSpace, Stored, SnapshotTaken,
                           ChangesRead, PeerOpened, PeerMessages, PeerClosed, PeerReady,
                           PeerRefused, SnapshotSent, SnapshotReceived, Installed, Shutdown>;

}  // namespace pando::io

#endif  // PANDO_IO_EVENT_H_
