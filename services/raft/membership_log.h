// MembershipLog: which membership is in force: that of the newest membership entry in the log,
// committed or not (Raft thesis 4.1). What the log cuts rolls back here.
//
// Owned by Raft.
#ifndef PANDO_RAFT_MEMBERSHIP_LOG_H_
#define PANDO_RAFT_MEMBERSHIP_LOG_H_

#include <deque>
#include <vector>

#include "model/ids.h"
#include "model/membership.h"

namespace pando::raft {

class MembershipLog {
 public:
  // `membership` is in force at `index`, which is committed.
  MembershipLog(model::Revision index, model::Membership membership);

  const model::Membership& current() const { return entries_.back().membership; }
  // Of the entry that put it in force, or where the log begins.
  model::Revision index() const { return entries_.back().index; }
  // Of the current one, by id.
  const std::vector<model::ServerId>& voters() const { return voters_; }
  bool IsVoter(model::ServerId id) const;
  // Whether the server of this storage is one; not if its id is that of one whose data is gone.
  bool IsVoter(model::ServerId id, model::StorageId storage) const;
  // The same of the newest membership up to `committed`, or of any after that.
  bool MayBeVoter(model::ServerId id, model::StorageId storage, model::Revision committed) const;

  // REQUIRES: `index` is above index().
  void Push(model::Revision index, model::Membership membership);
  // Entries from `first` on are gone. REQUIRES: what is committed is not.
  void CutFrom(model::Revision first);
  // Entries up to `index` are committed and need not be kept apart.
  void Compact(model::Revision index);

 private:
  struct Entry {
    model::Revision index;
    model::Membership membership;
  };
  void FindVoters();

  std::deque<Entry> entries_;  // never empty; the first is committed
  std::vector<model::ServerId> voters_;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_MEMBERSHIP_LOG_H_
