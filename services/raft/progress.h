// Progress: what a leader knows of one follower's log, and what it has sent of its own.
//
//   kProbe      does not know where the logs agree: one AppendRequest at a time, until one is taken
//   kReplicate  knows: AppendRequests follow one another without waiting, within limits
//   kSnapshot   the follower needs what the log has no more: nothing is sent until it has installed
//
//        taken                        needs what is gone
//   kProbe ──► kReplicate          any ──► kSnapshot ── installed, or failed ──► kProbe
//         ◄── refused, or lost
//
// Owned by Raft, while it leads.
#ifndef PANDO_RAFT_PROGRESS_H_
#define PANDO_RAFT_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/time.h"
#include "model/ids.h"

namespace pando::raft {

class Progress {
 public:
  enum class State : uint8_t { kProbe, kReplicate, kSnapshot };

  // A follower of which only is known that its log may agree with all before `next`.
  explicit Progress(model::Revision next) : next_(next) {}

  State state() const { return state_; }
  // On the follower's disk, and equal to the leader's log, up to here.
  model::Revision match() const { return match_; }
  // The first entry that was not sent.
  model::Revision next() const { return next_; }

  // Whether an AppendRequest may be sent now.
  bool MaySend() const;
  // One was: entries up to `last` (next() - 1 for none) of `bytes`, within heartbeat round `round`.
  void Sent(model::Revision last, size_t bytes, uint64_t round);

  // The follower has everything up to `match` on disk. False: that was known.
  bool Taken(model::Revision match);
  // It refused what came after `previous`, and may agree up to `hint`.
  void Refused(model::Revision previous, model::Revision hint);
  // It has answered heartbeat round `round`, and by then had everything up to `verified`: what was
  // sent before that round and is not in there is lost.
  void Heard(uint64_t round, model::Revision verified);

  // Whatever was under way is lost: its channel is new, or the snapshot failed or took too long.
  // It is asked for its log's end by what comes after all of the leader's, before `next`: it may
  // have come further than it could tell, by a snapshot above all.
  void Restart(model::Revision next) { Probe(next); }
  // It needs a snapshot.
  void WaitForSnapshot();
  // The snapshot was sent; from now on it may still take until `patience` to be installed.
  void SnapshotSent(base::Instant patience) { snapshot_patience_ = patience; }
  base::Instant snapshot_patience() const { return snapshot_patience_; }

  // Whether it takes entries at all.
  bool HasRoom() const { return !no_space && !stalled; }

  // --- What the leader notes and this does not interpret ----------------------------------------
  uint64_t acked_round = 0;        // the newest heartbeat round that it answered
  model::Revision told_committed;  // the newest commit that it was told
  model::StartCount start;         // of the life that its answers count of
  bool no_space = false;           // it said so itself, and that it takes no entries
  bool stalled = false;            // likewise
  bool waits_for_disk = false;     // the entries that it needs are being read

 private:
  struct InFlight {
    model::Revision last;
    size_t bytes = 0;
  };
  void Probe(model::Revision next);
  void Replicate();

  State state_ = State::kProbe;
  model::Revision match_;
  model::Revision next_;
  bool probe_sent_ = false;  // kProbe: one is under way
  InFlight probe_;           // and carries this
  uint64_t last_sent_round_ = 0;
  std::deque<InFlight> in_flight_;  // kReplicate
  size_t in_flight_bytes_ = 0;
  base::Instant snapshot_patience_ = base::kNever;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_PROGRESS_H_
