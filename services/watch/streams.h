// Streams: who watches what, the newest changes in memory, and a cursor per stream.
//
// Every stream gets the exact projection of the committed changes from its start: each once, in
// order, or the error COMPACTED. A live stream is written to in Publish. One whose Outbox is full
// lags: nothing is buffered for it; when it drains it is refilled from its cursor, from the window
// in memory or, below that, from the change log on disk.
//
// Owned by the replica; core thread only. Calls of the Sink come from within calls to this class,
// and must not call it back. Work that is not bounded by the call itself is done in Tick, a part at
// a time; NextDeadline is then at once.
#ifndef PANDO_WATCH_STREAMS_H_
#define PANDO_WATCH_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "model/change.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/reply.h"
#include "model/watch.h"
#include "watch/change_run.h"
#include "watch/stream.h"
#include "watch/target_index.h"

namespace pando::watch {

struct Bounds {
  size_t streams_max = model::kStreamsMax;
  size_t window_bytes_max = model::kChangeWindowBytesMax;
  // Changes that one Tick looks at for streams that lag, in the window and in the change log each.
  size_t refill_changes_per_tick = 4'096;
};

class Streams {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // False: nothing was taken, and Drained follows once there is room.
    virtual bool TryWrite(model::StreamId stream, model::StreamBatch batch) = 0;
    // The last call for this stream. kOk: its last target has ended, or the server is going away.
    virtual void End(model::StreamId stream, model::Error error) = 0;
    // Answered by ChangesRead. There is one in flight at most.
    virtual void ReadChanges(model::Revision from) = 0;
  };

  struct Open {
    model::StreamId id;        // never used before
    model::SessionId session;  // may be none
    std::vector<model::Identity> identities;
    std::vector<model::WatchTarget> targets;
    model::Revision start_revision;  // inclusive; none: from the next change on
    bool send_initial = false;       // nothing is written before InitialDone
    bool of_the_server = false;      // no client's: size() and targets() do not count it
  };

  // `sink` outlives this. The state is that of `applied`; the change log on disk holds every change
  // of the revisions [oldest_change, applied].
  Streams(Sink* sink, model::Revision applied, model::Revision oldest_change,
          base::Duration no_leader_limit, Bounds bounds = {});
  ~Streams();

  // A refused stream is not known afterwards. INVALID_PATH; INVALID_ARGUMENT: no target, more than
  // kTargetsPerStreamMax, or send_initial with a start; OVERLOADED; COMPACTED with Error.oldest.
  // A start in the future waits for it. A stream from now on gets a progress mark at once.
  [[nodiscard]] model::Error Add(Open open);
  // The client is gone. Also for a stream that was ended, once the client has all of it: until then
  // DueRevision reckons with it. Unknown streams are fine.
  void Close(model::StreamId stream);

  // The changes of the next revision; null: it has none. REQUIRES: revisions strictly increase.
  void Publish(model::Revision revision, std::shared_ptr<const model::ChangeBatch> batch);

  // A refused stream may have room again. A hint: too often or for unknown streams is fine.
  void Drained(model::StreamId stream);
  // The state at `revision` was sent; the stream goes on after it. Unknown streams are fine.
  void InitialDone(model::StreamId stream, model::Revision revision);

  // Answers Sink::ReadChanges: `batches` are all changes of [from, through]; none of it if through
  // is below from.
  void ChangesRead(model::Revision from, model::Revision through, model::Revision oldest_change,
                   std::vector<std::shared_ptr<const model::ChangeBatch>> batches);
  // The change log on disk holds every change of [oldest_change, revision].
  void Stored(model::Revision revision, model::Revision oldest_change);

  // The state jumped to `revision`: what led there is not known. Streams that needed it end
  // COMPACTED.
  void Restart(model::Revision revision);

  // At first none is known.
  void SetLeader(bool known, base::Instant now);
  // Ends every stream with kOk, those too that are added later; one that is up to date with a mark,
  // so that its client resumes on another server from the last revision that this one has seen.
  void Shutdown();

  // Refills, writes progress marks, and ends all streams once there was no leader for too long.
  void Tick(base::Instant now);
  // When Tick has work at the latest.
  base::Instant NextDeadline() const;

  // The revision of the newest event that was due for the session's streams, written or not; the
  // applied revision while one of them lags or is sent its initial state. None: it has no stream,
  // or none of them had an event. What was due for a stream that is closed may go on counting until
  // the session's last one is.
  model::Revision DueRevision(model::SessionId session) const;

  // Of clients.
  size_t size() const { return streams_.size() - of_the_server_; }
  size_t targets() const { return targets_; }

 private:
  struct Session {
    size_t streams = 0;  // not closed, those that were ended included
    size_t lagging = 0;
    model::Revision due;  // of the newest event that was written
  };
  enum class Written { kTaken, kRefused, kEnded };
  // kThrough: all of the run; kPaused: the budget is spent; kStopped: blocked, or ended.
  enum class Fed { kThrough, kPaused, kStopped };

  // streams.cc: the life of a stream
  model::Error Check(const Open& open) const;
  Stream* Find(model::StreamId id);
  void End(Stream& stream, model::Error error);
  void EndAll(const model::Error& error);
  void Remove(Stream& stream);
  void RemoveFromSession(model::SessionId session);
  void SetPhase(Stream& stream, Phase phase);
  void Advance(Stream& stream, model::Revision revision);
  void BecomeLive(Stream& stream);
  // The oldest revision that a stream can start from.
  model::Revision oldest() const;
  model::Error Compacted() const;

  // streams.cc: what it is sent
  void Select(Stream& stream, uint32_t target, uint32_t change_index, const model::Change& change);
  Written Write(Stream& stream, const ChangeBatchPtr& batch);
  bool WriteMark(Stream& stream);
  void WriteMarks(base::Instant now);
  void WriteNextPartOfMarks();

  // refill.cc
  void GoOn(Stream& stream);
  void RefillFromDisk();
  void RefillFromWindow();
  Fed Feed(Stream& stream, const ChangeRun& run, size_t* budget);
  bool ChunkIsWanted() const;
  bool MustRefill() const;

  Sink* const sink_;
  const base::Duration no_leader_limit_;
  const Bounds bounds_;

  model::Revision applied_;
  model::Revision stored_;
  model::Revision oldest_change_;
  ChangeWindow window_;

  absl::btree_map<model::StreamId, std::unique_ptr<Stream>> streams_;
  absl::flat_hash_map<model::SessionId, Session> sessions_;
  // Streams that were ended and not yet closed; the oldest are forgotten beyond streams_max.
  absl::btree_map<model::StreamId, model::SessionId> ended_;
  TargetIndex index_;
  size_t targets_ = 0;        // of clients' streams, that have not ended
  size_t of_the_server_ = 0;  // streams

  // Streams in Phase::kQueued, and some that are closed.
  std::deque<model::StreamId> queue_;
  // Streams in Phase::kReading, by the revision that they need next.
  absl::btree_set<std::pair<model::Revision, model::StreamId>> readers_;
  std::optional<model::Revision> reading_;  // in flight
  ChangeRun chunk_;                         // what was read last

  bool leader_known_ = false;
  std::optional<base::Instant> leaderless_since_;
  bool shut_down_ = false;
  base::Instant now_;  // of the last Tick
  base::Instant next_marks_;
  size_t marks_part_ = 0;
  model::StreamId marks_done_;  // in this round, up to this stream

  // Room that is kept from call to call.
  std::vector<const TargetIndex::Targets*> found_;
  std::vector<Stream*> touched_;
};

}  // namespace pando::watch

#endif  // PANDO_WATCH_STREAMS_H_
