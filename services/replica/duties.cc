// What the clock asks: callers that have waited too long, and what a leader owes its ensemble.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

// Of one command; what is left comes with the next.
constexpr size_t kExpiredAtOnceMax = 1'000;
constexpr size_t kReapedAtOnceMax = 1'000;

}  // namespace

void Replica::DoDuties() {
  ExpireWaiting();
  if (raft_.role() != model::EnsembleStatus::Role::kLeader) return;
  ExpireSessions();
  ReapNodes();
}

void Replica::ExpireWaiting() {
  for (PendingCommand* pending : pending_.TakeExpired(now_)) {
    // Once sent it may still be applied, whatever its caller is told now.
    const model::Reason reason = pending->sent ? model::Reason::kTimeout : model::Reason::kNoLeader;
    Refuse(pending->responder, {.reason = reason,
                                .detail = "not committed within the deadline",
                                .maybe_applied = pending->sent});
    pending->command.body = model::Nothing{};
  }
  for (Read& read : reads_.TakeExpired(now_)) {
    if (read.granted) {
      Refuse(read.responder,
             {.reason = model::Reason::kBehind,
              .detail = absl::StrCat("revision ", read.needs.value(), " is not applied here yet")});
    } else {
      Refuse(read.responder, {.reason = model::Reason::kNoLeader,
                              .detail = "no leader confirmed the read in time"});
    }
  }
}

// Only a leader that a quorum has confirmed since the leases ran out may expire anybody: one that
// slept through its own replacement must not (etcd #15247). The confirmation is a round of
// ReadIndex; the leases are asked again when it is granted.
void Replica::ExpireSessions() {
  if (!leases_.AnyDue(now_)) {
    expiry_confirmed_ = false;
    return;
  }
  if (!expiry_confirmed_) {
    if (!expiry_round_) {
      expiry_round_ = true;
      raft_.Read(now_, kExpiryRead);
    }
    return;
  }
  expiry_confirmed_ = false;
  model::ExpireSessions expire;
  expire.sessions = leases_.TakeDue(now_, kExpiredAtOnceMax);
  if (expire.sessions.empty()) return;
  if (observer_.on_event) {
    observer_.on_event(absl::StrCat(expire.sessions.size(), " sessions expire"));
  }
  ProposeOwn(std::move(expire));
}

void Replica::ReapNodes() {
  if (now_ < next_reap_) return;
  next_reap_ = now_ + options_.reap_interval;
  model::Reap reap{machine_->DueForReap(wall_, kReapedAtOnceMax)};
  if (!reap.nodes.empty()) ProposeOwn(std::move(reap));
}

}  // namespace pando::replica
