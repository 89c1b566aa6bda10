// Leases: when each session would expire. Kept by the leader only, in memory only.
//
// Time is a clock of their own: it follows what it is told, but by at most `step_max` a call, so
// that a leader that was paused expires nobody when it wakes. A lease that TakeDue has given out is
// not renewed any more: its expiry is on its way through the log.
//
// Owned by the replica; core thread only.
#ifndef PANDO_SESSION_LEASES_H_
#define PANDO_SESSION_LEASES_H_

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "model/ids.h"

namespace pando::session {

class Leases {
 public:
  struct Timeout {
    model::SessionId session;
    base::Duration timeout{0};
  };

  explicit Leases(base::Duration step_max) : step_max_(step_max) {}

  // A new leader: every session gets its full timeout and `grace` on top.
  void Start(const std::vector<Timeout>& sessions, base::Duration grace, base::Instant now);
  // Not the leader any more: nobody is due.
  void Stop();

  void Grant(model::SessionId session, base::Duration timeout, base::Instant now);
  // Nothing happens to a session that is not known, or whose expiry is on its way.
  void Renew(model::SessionId session, base::Instant now);
  // Another timeout, which begins now. Likewise.
  void Change(model::SessionId session, base::Duration timeout, base::Instant now);
  void Drop(model::SessionId session);

  // Zero for a session that is not known.
  base::Duration TimeLeft(model::SessionId session, base::Instant now) const;
  bool AnyDue(base::Instant now);
  std::vector<model::SessionId> TakeDue(base::Instant now, size_t max);
  // When AnyDue has to be asked again at the latest; kNever while stopped or without sessions.
  base::Instant NextDeadline() const;

 private:
  struct Lease {
    base::Duration timeout{0};
    base::Duration due{0};  // on the leases' own clock
    bool expiring = false;
  };

  void Advance(base::Instant now);

  const base::Duration step_max_;
  bool running_ = false;
  base::Duration clock_{0};
  base::Instant told_;
  absl::flat_hash_map<model::SessionId, Lease> leases_;
  // Of those that are not expiring.
  absl::btree_set<std::pair<base::Duration, model::SessionId>> by_due_;
};

}  // namespace pando::session

#endif  // PANDO_SESSION_LEASES_H_
