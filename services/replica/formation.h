// Forming: how servers with empty data dirs become an ensemble.
//
// Each tells every other who it is (Announce); whoever hears that records it for ever, on disk, and
// says so. A server votes and stands only when all others have recorded it and it knows them all:
// so one that lost its data meets somebody who remembers its former self, and never votes again
// under that id. A member that is missing at the very first start delays the formation.
//
// Pure; owned by the replica. What changed has to be on disk before an answer leaves.
#ifndef PANDO_REPLICA_FORMATION_H_
#define PANDO_REPLICA_FORMATION_H_

#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "io/peers.h"
#include "model/formation.h"
#include "model/ids.h"
#include "model/membership.h"

namespace pando::replica {

class Forming {
 public:
  // `initial` is the list as the operator gave it, with this server's own row complete; `recorded`
  // is what an earlier start remembered, empty at the first.
  Forming(model::ServerId id, const model::Membership& initial, model::Formation recorded);

  // To be told to every other member, again with each new channel.
  io::Announce Announcement() const;
  // True: it is news, and state() has to be on disk before the answer leaves.
  bool HearAnnounce(model::ServerId from, const io::Announce& announce);
  io::AnnounceReply AnswerTo(model::ServerId from, const io::Announce& announce) const;
  void HearRecorded(model::ServerId from) { recorded_by_.insert(from); }

  // All others have recorded this server, and it knows them all.
  bool Complete() const;
  // Who is still missing.
  std::vector<model::ServerId> Missing() const;
  const model::Formation& state() const { return state_; }
  void SetComplete() { state_.complete = true; }

 private:
  const model::ServerId id_;
  const model::Membership initial_;
  model::Formation state_;
  absl::btree_set<model::ServerId> recorded_by_;
};

// Whether both lists name the same servers at the same peer addresses.
bool SameList(const model::Membership& a, const model::Membership& b);

}  // namespace pando::replica

#endif  // PANDO_REPLICA_FORMATION_H_
