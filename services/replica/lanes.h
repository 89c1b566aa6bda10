// Lanes: who waits for which answer, and in which order the answers leave.
//
// A unary call's answer leaves at once. A lane's leave in the order of its requests, so one that
// comes early waits for those before it; and a read of a lane may only run once it is at the
// front, because only then are all writes before it applied here.
//
//   slots of a lane:   [ answered | waiting | answered | read ]
//                        leaves     front               runs when it gets to the front
//
// Nor is a read to see writes behind it. One that runs as soon as it is at the front does not; one
// that waits there for something else, such as a quorum, holds them back until it is answered.
//
// Owned by the replica; core thread only.
#ifndef PANDO_REPLICA_LANES_H_
#define PANDO_REPLICA_LANES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "io/client.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/reply.h"

namespace pando::replica {

// The address of one answer.
struct Responder {
  std::shared_ptr<io::ReplySink> sink;
  uint64_t tag = 0;
  model::LaneId lane;  // none: leaves at once
  uint64_t slot = 0;   // within the lane
};

class Lanes {
 public:
  // Takes the next place. Of a lane that was closed, or has kLaneOutstandingMax places taken, too.
  Responder Expect(std::shared_ptr<io::ReplySink> sink, uint64_t tag, model::LaneId lane);

  // True for unary, and for the first place of a lane that is not answered.
  bool AtFront(const Responder& responder) const;

  // The answer. Places behind it that were only waiting for it leave too. REQUIRES: once each.
  void Answer(const Responder& responder, model::Reply reply, model::Revision stream_revision);

  // Marks the place as a read; `read` is given back by TakeFronts when it gets to the front.
  // REQUIRES: not at the front now.
  void RunAtFront(const Responder& responder, uint64_t read);
  // Reads that got to the front since the last call.
  std::vector<uint64_t> TakeFronts();
  bool has_fronts() const { return !fronts_.empty(); }

  // What comes behind this place in its lane is held back until it is answered.
  void HoldBack(const Responder& read);
  bool HoldsBack(model::LaneId lane) const;
  struct Held {
    model::Command command;
    base::Instant deadline;
    Responder responder;
    size_t batch_bytes = 0;  // of the batch that it came in
  };
  // REQUIRES: its lane holds back.
  void Hold(Held held);
  // Those that nothing holds back any more, in the order of each lane.
  std::vector<Held> TakeReleased() { return std::exchange(released_, {}); }

  // Answers of this lane are no longer wanted. It goes when the last place is answered.
  void Close(model::LaneId lane);

  // All answers that may leave, grouped by sink, in order.
  std::vector<io::Egress::Parcel> TakeParcels();

  // Places that are not answered yet.
  size_t outstanding() const { return outstanding_; }
  size_t outstanding(model::LaneId lane) const;

 private:
  struct Slot {
    io::Completion completion;
    bool answered = false;
    uint64_t read = 0;  // 0: none
  };
  struct Lane {
    std::shared_ptr<io::ReplySink> sink;
    std::deque<Slot> slots;
    uint64_t first_slot = 1;  // the number of slots.front()
    bool closed = false;
    std::deque<uint64_t> holding;  // slots that hold back what comes behind them
    std::deque<Held> held;         // none without a slot in `holding` before it
  };

  void Release(Lane* lane, uint64_t slot);
  void Emit(const std::shared_ptr<io::ReplySink>& sink, io::Completion completion);
  void Advance(Lane* lane);

  absl::flat_hash_map<model::LaneId, Lane> lanes_;
  std::vector<uint64_t> fronts_;
  size_t holding_ = 0;  // slots, of all lanes
  std::vector<Held> released_;
  std::vector<io::Egress::Parcel> parcels_;
  absl::flat_hash_map<const io::ReplySink*, size_t> parcel_of_;
  size_t outstanding_ = 0;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_LANES_H_
