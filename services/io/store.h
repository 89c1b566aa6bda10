// Store: the seam to LevelDB, the change log's files and the snapshots. Calls never block;
// completions come back to the Inbox as events. Called by the core thread only.
//
// Crash rule: after a restart the store holds exactly the state of some revision r (`stored`), all
// windows it reported as Stored included, and perhaps the one in flight, whole. The change log
// holds the changes of a contiguous run of revisions that ends at r.
#ifndef PANDO_IO_STORE_H_
#define PANDO_IO_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/strong.h"
#include "model/change.h"
#include "model/ids.h"
#include "model/record.h"

namespace pando::io {

// One command's effect, as the store gets it.
struct StoreWrite {
  model::Revision revision;
  model::Term term;     // of the entry
  uint64_t digest = 0;  // of the whole state after it
  model::Delta delta;
  std::shared_ptr<const model::ChangeBatch> changes;  // null: none
};

using model::StateMark;

// One received snapshot, from SnapshotReceived to Install or Discard.
using InstallId = base::Strong<struct InstallIdTag>;

enum class Taken : uint8_t {
  kTaken,
  kFull,       // nothing was taken: the same records are offered again a little later
  kCancelled,  // nobody wants more: Finish follows, with CANCELLED
};

// Receives a scan's records. Its calls come from the scan thread and must not block, because other
// scans share that thread; a scan of more than kScanMsMax is ended by the store.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  // Once, before anything else, if the scan gets as far: what it is of.
  virtual void Begin(const StateMark&) {}
  // The next records in key order, at most kScanChunkBytesMax of them unless one is larger; every
  // call names the revision that all of them are of.
  virtual Taken Take(model::Revision revision, const std::vector<model::RecordWrite>& records) = 0;
  // The end, once: OK, or why it broke off. UNAVAILABLE: the store had to reopen; ask again.
  virtual void Finish(model::Revision revision, absl::Status status) = 0;
};

// A part of the state at one revision, not older than all that was written before the call.
struct Scan {
  // Key ranges [begin, end), read one after the other; no range: the whole state.
  struct Range {
    std::string begin;
    std::string end;
  };
  std::vector<Range> ranges;
  std::shared_ptr<ScanSink> sink;
  // A member waits for it: it neither waits for clients' scans, which take as long as clients like
  // to read, nor counts as one. The caller starts at most one for each member.
  bool for_member = false;
};

class Store {
 public:
  virtual ~Store() = default;
  // REQUIRES: revisions strictly increase. Answered, windows together, by Stored.
  virtual void Write(StoreWrite write) = 0;
  // Answered by ChangesRead with whole batches from `from` (inclusive) on, at least one if there is
  // one, at most `bytes_max` unless the first is larger.
  virtual void ReadChanges(model::Revision from, size_t bytes_max) = 0;
  // At most kScansMax of clients run at once and kScansQueuedMax wait; beyond that the sink is
  // finished with RESOURCE_EXHAUSTED at once, on the calling thread.
  virtual void StartScan(Scan scan) = 0;

  // Puts a received snapshot in force (io/install.h). Everything written before is of the old state
  // and may be lost; writes after it are above its revision. Scans of the old state end, at the
  // latest, with UNAVAILABLE. Answered by Installed. REQUIRES: `install` was received, and is
  // neither installed nor discarded; no other Install is under way.
  virtual void Install(InstallId install) = 0;
  // The snapshot is not wanted. REQUIRES: as Install, but another may be under way.
  virtual void Discard(InstallId install) = 0;
};

}  // namespace pando::io

#endif  // PANDO_IO_STORE_H_
