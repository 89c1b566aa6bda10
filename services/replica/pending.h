// Pending: the commands that this server numbered and has not applied yet, in order.
//
// A numbered command is never taken back. When its caller cannot wait any longer, the caller is
// told `maybe_applied` and the place stays; should the command have to be sent again, it goes as
// Nothing under the same number, so that the numbers stay without a gap.
//
// Owned by the replica; core thread only.
#ifndef PANDO_REPLICA_PENDING_H_
#define PANDO_REPLICA_PENDING_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "base/time.h"
#include "model/command.h"
#include "model/ids.h"
#include "replica/lanes.h"

namespace pando::replica {

struct PendingCommand {
  model::Command command;
  Responder responder;
  base::Instant arrived;
  base::Instant deadline = base::kNever;
  bool answered = false;  // its caller gave up
  bool sent = false;      // to a leader, at least once: it may be applied
};

class Pending {
 public:
  explicit Pending(model::Source source) : source_(source) {}

  // Gives the command its source and the next number, and keeps it.
  PendingCommand* Add(PendingCommand pending);

  // The command under `number` was applied; it must be the oldest one.
  PendingCommand TakeApplied(model::SourceNumber number);

  // Nobody waits longer than until `deadline`.
  void Hasten(base::Instant deadline);
  // Those whose deadline has passed and that are not answered; marks them as answered. The
  // pointers hold until the next call of anything else.
  std::vector<PendingCommand*> TakeExpired(base::Instant now);

  // The next one that is to be sent; null: there is none. Sent() moves on.
  PendingCommand* NextToSend();
  void Sent();
  // All have to be sent again: there is another leader, or what was sent may be lost.
  void SendAgain() { next_ = first_; }
  // The oldest one; null: there is none.
  const PendingCommand* oldest() const { return commands_.empty() ? nullptr : &commands_.front(); }

  base::Instant next_deadline() const {
    return deadlines_.empty() ? base::kNever : deadlines_.begin()->first;
  }
  size_t size() const { return commands_.size(); }
  model::Source source() const { return source_; }

 private:
  const model::Source source_;
  std::deque<PendingCommand> commands_;
  model::SourceNumber first_{1};  // the number of commands_.front()
  model::SourceNumber next_{1};   // the first that was not sent; not below first_
  absl::btree_set<std::pair<base::Instant, model::SourceNumber>> deadlines_;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_PENDING_H_
