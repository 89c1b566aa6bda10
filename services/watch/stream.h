// Stream: one client's channel of watch events, as Streams keeps it. Of this module only.
#ifndef PANDO_WATCH_STREAM_H_
#define PANDO_WATCH_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/acl.h"
#include "model/ids.h"
#include "model/watch.h"

namespace pando::watch {

// Where a stream stands. All but live lag: for them nothing is buffered, and their cursor stops.
//
//    Add                   → initial; live from now on, or in the future; queued or reading
//    initial, InitialDone  → queued or reading
//    live, refused         → blocked           the Outbox is full
//    blocked, Drained      → queued or reading
//    reading               → queued or reading; blocked when refused; ended when compacted
//    queued                → live at the applied revision; blocked when refused
enum class Phase : uint8_t {
  kInitial,  // the state of its targets is being sent
  kLive,     // written to as revisions are published; perhaps its start lies in the future
  kBlocked,  // its Outbox refused: waits for Drained
  kQueued,   // will be refilled from the window
  kReading,  // needs changes that only the change log on disk has
};

struct Stream {
  struct Target {
    model::WatchTarget watch;
    // Its event is written (it then is in no index any more), or is in the batch at hand.
    bool ended = false;
  };

  model::StreamId id;
  model::SessionId session;
  std::vector<model::Identity> identities;
  std::vector<Target> targets;
  size_t targets_left = 0;     // that have not ended
  bool of_the_server = false;  // Streams::Open
  Phase phase = Phase::kInitial;

  // No change up to here is still to be written. It lies in the future while the start does; a live
  // stream's otherwise stands at the last thing written, and means the applied revision.
  model::Revision cursor;
  // What the client knows: the revision of the last event, progress mark or initial state.
  model::Revision told;

  // Of the batch at hand.
  model::StreamBatch::Selection selected;
  std::vector<uint32_t> ending;  // `once` targets that have their event in it
};

}  // namespace pando::watch

#endif  // PANDO_WATCH_STREAM_H_
