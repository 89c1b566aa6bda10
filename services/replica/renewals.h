// Renewals: sessions whose clients showed themselves at this server, on their way to the leader,
// who alone keeps leases. What goes together, goes in one request; answers go to whoever waits.
//
// Owned by the replica; core thread only. On the leader it is empty.
#ifndef PANDO_REPLICA_RENEWALS_H_
#define PANDO_REPLICA_RENEWALS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/time.h"
#include "io/peers.h"
#include "model/ids.h"
#include "replica/lanes.h"

namespace pando::replica {

class Renewals {
 public:
  struct Waiting {
    model::SessionId session;
    Responder responder;
  };
  struct Answered {
    Waiting waiting;
    int64_t time_left_ms = 0;  // 0: it is not renewed any more, or nobody could say
  };

  // A KeepAlive that is answered when the leader has renewed the session.
  void Ask(model::SessionId session, Responder responder) {
    fresh_.push_back({session, std::move(responder)});
  }
  // Some other request of the session: renewed too, but nobody waits for it.
  void Touch(model::SessionId session) { touched_.insert(session); }

  // What to send now, if anything; touches alone only at every kTouchInterval.
  std::optional<io::RenewRequest> TakeRequest(base::Instant now);
  // The leader's answer, in the order asked; empty if it was not waited for.
  std::vector<Answered> TakeAnswered(const io::RenewReply& reply);
  // Who has waited too long.
  std::vector<Waiting> TakeExpired(base::Instant now);
  // There is another leader, or none: whoever waits is to ask again.
  std::vector<Waiting> TakeAll();
  base::Instant next_deadline() const;

 private:
  static constexpr base::Duration kTouchInterval = std::chrono::milliseconds(200);
  static constexpr base::Duration kPatience = std::chrono::seconds(1);

  struct Batch {
    base::Instant until;
    std::vector<Waiting> waiting;
  };

  uint64_t last_id_ = 0;
  std::vector<Waiting> fresh_;
  absl::flat_hash_set<model::SessionId> touched_;
  base::Instant next_touch_;
  absl::btree_map<uint64_t, Batch> batches_;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_RENEWALS_H_
