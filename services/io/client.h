// The seam between the adapters that talk to clients (api, zookeeper) and the core: requests in,
// replies and watch events out.
#ifndef PANDO_IO_CLIENT_H_
#define PANDO_IO_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "io/peers.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/query.h"
#include "model/reply.h"
#include "model/watch.h"

namespace pando::io {

enum class Consistency : uint8_t {
  kLocal,         // of what this server has applied
  kLinearizable,  // of all that was committed when it was asked
};

// Renews a session's lease. The reply's SessionResult says the timeout as granted and the time
// left.
struct KeepAlive {
  model::SessionId session;
};

// A walk that may be larger than one turn: answered like a Walk query when it is small, and
// otherwise by a scan into `sink`; the completion then comes first, OK and without a result.
struct LargeWalk {
  std::vector<model::Identity> identities;
  model::Walk walk;
  std::shared_ptr<class ScanSink> sink;  // io/store.h
};

// The whole state, by a scan into `sink`; the completion comes first, OK and without a result.
struct TakeBackup {
  std::shared_ptr<class ScanSink> sink;  // io/store.h
};

// How the ensemble looks from here; answered with an EnsembleStatus.
struct GetStatus {};
// Who the members are; answered with a Membership.
struct GetMembers {};
// The digest of this server's state; answered with a DigestResult.
struct GetDigest {};
// A change of the membership or of the leader, made by the leader wherever it is asked for. The
// reply's revision is that of the change, its result the Membership then; of a transfer the
// EnsembleStatus.
struct Administer {
  AdminOrder order;
  // A change is made only while /zookeeper/config is of this revision; otherwise BAD_VERSION. None:
  // of any.
  model::Revision config;
};

// A command, before source, number and stamp are given to it; or something that is not logged.
struct Request {
  uint64_t tag = 0;  // comes back in the completion; the adapter's own
  // SHA-256 of the secret token of the session that the body names; checked before anything else.
  std::string token_hash;
  // Waited for, until `deadline`; then BEHIND. A query only.
  model::Revision min_revision;
  Consistency consistency = Consistency::kLocal;
  base::Instant deadline = base::kNever;
  std::variant<model::Command, model::Query, KeepAlive, LargeWalk, TakeBackup, GetStatus,
               GetMembers, GetDigest, Administer>
      body;
};

struct Completion {
  uint64_t tag = 0;
  // The newest event that this server had due for the session's streams up to the reply's revision.
  model::Revision stream_revision;
  model::Reply reply;
};

// Where replies go. Shared: the adapter's call and the core's pending requests hold it.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // In the order in which they were decided; of a lane in the order of its requests. Runs on an
  // egress thread, or on one that has lent itself to the core (io/inbox.h), which holds no lock
  // then; never two at once for one sink; it must not block.
  virtual void Deliver(std::vector<Completion> completions) = 0;
};

// Requests of one connection, posted together.
struct RequestBatch {
  std::shared_ptr<ReplySink> sink;
  // A lane answers in order, and a read of it sees all earlier writes of it. None: no order.
  model::LaneId lane;
  std::vector<Request> requests;
  size_t bytes = 0;  // what the batch counts for in the Inbox
};

// Carries what the core hands out to the threads that write it. Thread-safe. Send comes once at the
// end of every turn of the core in which there were replies, or in which a Stream was written to:
// what such a turn has written, it has written by then.
class Egress {
 public:
  struct Parcel {
    std::shared_ptr<ReplySink> sink;
    std::vector<Completion> completions;
  };
  virtual ~Egress() = default;
  virtual void Send(std::vector<Parcel> parcels) = 0;
  // The calling thread would deliver what is sent from now on, and calls Release() for that soon.
  // False: something is in front of it, and no Release() follows.
  virtual bool Hold() { return false; }
  // REQUIRES: Hold() was true, and the caller holds no lock.
  virtual void Release() {}
};

// --- Watches ----------------------------------------------------------------------------------

// A stream's Outbox. Shared by the core thread (TryWrite, End) and one egress thread. Thread-safe.
class Stream {
 public:
  virtual ~Stream() = default;
  // False if it does not fit; then nothing was taken, and a StreamDrained event follows once there
  // is room. REQUIRES: revisions do not go down.
  virtual bool TryWrite(model::StreamBatch batch) = 0;
  // Some of the state of the targets at `revision`, when the stream opens. As TryWrite.
  virtual bool TryWriteInitial(model::Revision revision, model::WalkResult part) = 0;
  // The rest of it; changes after `revision` follow. Always taken: it is one node, or what one turn
  // of the core thread reads at most, over the limit at worst.
  virtual void WriteInitialDone(model::Revision revision, model::WalkResult rest) = 0;
  // After all that was taken, the stream ends with `error` (kOk: the server is going away).
  virtual void End(model::Error error) = 0;
};

struct WatchOpen {
  model::StreamId stream;
  std::shared_ptr<Stream> outbox;
  model::SessionId session;
  std::vector<model::Identity> identities;
  std::vector<model::WatchTarget> targets;
  model::Revision start_revision;  // none: from the next change on
  bool send_initial = false;
  bool of_the_server = false;  // an adapter's own, which metrics do not count as a client's
};

}  // namespace pando::io

#endif  // PANDO_IO_CLIENT_H_
