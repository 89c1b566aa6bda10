// What the clock asks: callers that have waited too long, and what a leader owes its ensemble.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/mutant.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

// Of one command; what is left comes with the next.
constexpr size_t kExpiredAtOnceMax = 1'000;
constexpr size_t kReapedAtOnceMax = 1'000;
// How long a leader's store may lag, and between two tries to hand over.
constexpr base::Duration kRoomInterval = std::chrono::seconds(5);

}  // namespace

void Replica::DoDuties() {
  ExpireWaiting();
  SendRenewals();
  SendReports();
  TendMembers();
  TendPins();
  if (!IsLeader() || raft_.transferring()) return;
  for (const Ordered& ordered : std::exchange(ordered_transfers_, {})) {
    Reply(ordered, {.reason = model::Reason::kTimeout, .detail = "the other did not take over"},
          {});
  }
  MakeRoom();
  if (!raft_.MayPropose()) return;
  RaiseVersion();
  ExpireSessions();
  ReapNodes();
}

// Who got a snapshot needs the log after it until it has come as far as what is stored here: were
// it dropped earlier, it would need the next snapshot, and so on for ever.
void Replica::TendPins() {
  for (auto at = pins_.begin(); at != pins_.end();) {
    Pin& pin = at->second;
    const raft::Progress* progress = raft_.FindProgress(at->first);
    const bool installed = progress != nullptr && !sending_.contains(at->first) &&
                           progress->state() != raft::Progress::State::kSnapshot;
    if (installed) pin.revision = std::max(pin.revision, progress->match());
    const bool over = progress == nullptr || (installed && progress->match() >= stored_);
    at = over ? pins_.erase(at) : std::next(at);
  }
}

// A leader whose disk is full hands over to one that has room; so does one whose store lags for
// longer than a burst of writes can make it.
void Replica::MakeRoom() {
  const bool stuck = now_ >= store_kept_up_ + kRoomInterval;
  if ((!no_space_ && !stuck) || now_ < next_room_ || !raft_.BestSuccessor()) return;
  next_room_ = now_ + kRoomInterval;
  const absl::Status started = raft_.TransferLeadership(now_, {});
  Tell(absl::StrCat(no_space_ ? "the disk is full" : "the store does not keep up",
                    ", hands over: ", base::View(started.ToString())));
}

// The machine goes on to the newest version that every member supports.
void Replica::RaiseVersion() {
  uint32_t common = ~uint32_t{0};
  for (const model::Member& member : raft_.membership().members) {
    common = std::min(common, member.version_max);
  }
  if (common <= std::max(machine_->version(), proposed_version_)) return;
  proposed_version_ = common;
  ProposeOwn(model::SetMachineVersion{common});
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
  if (!expiry_confirmed_ && !Is(model::Mutant::kExpiryUnconfirmed)) {
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
