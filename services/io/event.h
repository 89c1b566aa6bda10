// Event: everything that can happen to a replica. The Inbox carries them to the core thread.
#ifndef PANDO_IO_EVENT_H_
#define PANDO_IO_EVENT_H_

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "io/client.h"
#include "io/log.h"
#include "model/change.h"
#include "model/entry.h"
#include "model/ids.h"
#include "raft/message.h"

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

struct PeerMessage {
  model::ServerId from;
  raft::Message message;
};
// The stream from this peer broke: fast failover starts from it.
struct PeerLost {
  model::ServerId peer;
};

// --- From the process -------------------------------------------------------------------------

// SIGTERM: hand leadership over, end streams, answer nothing new.
struct Shutdown {};

using Event = std::variant<RequestBatch, LaneClosed, WatchOpen, WatchClose, StreamDrained,
                           InitialSent, Persisted, EntriesRead, DiskSpace, Stored, SnapshotTaken,
                           ChangesRead, PeerMessage, PeerLost, Shutdown>;

}  // namespace pando::io

#endif  // PANDO_IO_EVENT_H_
