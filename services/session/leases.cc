#include "session/leases.h"

#include <algorithm>

#include "base/check.h"
#include "model/mutant.h"

namespace pando::session {

void Leases::Start(const std::vector<Timeout>& sessions, base::Duration grace, base::Instant now) {
  if (Is(model::Mutant::kExpiryUnconfirmed) && running_) return;
  Stop();
  running_ = true;
  told_ = now;
  for (const Timeout& session : sessions) {
    Lease& lease = leases_[session.session];
    lease.timeout = session.timeout;
    lease.due = clock_ + (Is(model::Mutant::kLeasesCutShort) ? grace : session.timeout + grace);
    by_due_.emplace(lease.due, session.session);
  }
}

void Leases::Stop() {
  running_ = false;
  leases_.clear();
  by_due_.clear();
}

void Leases::Grant(model::SessionId session, base::Duration timeout, base::Instant now) {
  if (!running_) return;
  Advance(now);
  const auto [place, added] = leases_.try_emplace(session);
  CHECK(added);
  place->second = {.timeout = timeout, .due = clock_ + timeout};
  by_due_.emplace(place->second.due, session);
}

void Leases::Renew(model::SessionId session, base::Instant now) {
  Advance(now);
  const auto found = leases_.find(session);
  if (found == leases_.end() || found->second.expiring) return;
  Lease& lease = found->second;
  if (lease.due >= clock_ + lease.timeout) return;
  by_due_.erase({lease.due, session});
  lease.due = clock_ + lease.timeout;
  by_due_.emplace(lease.due, session);
}

void Leases::Change(model::SessionId session, base::Duration timeout, base::Instant now) {
  Advance(now);
  const auto found = leases_.find(session);
  if (found == leases_.end() || found->second.expiring) return;
  Lease& lease = found->second;
  by_due_.erase({lease.due, session});
  lease = {.timeout = timeout, .due = clock_ + timeout};
  by_due_.emplace(lease.due, session);
}

void Leases::Drop(model::SessionId session) {
  const auto found = leases_.find(session);
  if (found == leases_.end()) return;
  by_due_.erase({found->second.due, session});
  leases_.erase(found);
}

base::Duration Leases::TimeLeft(model::SessionId session, base::Instant now) const {
  const auto found = leases_.find(session);
  if (found == leases_.end() || found->second.expiring) return base::Duration(0);
  const base::Duration clock = clock_ + std::min(now - told_, step_max_);
  return std::max(found->second.due - clock, base::Duration(0));
}

bool Leases::AnyDue(base::Instant now) {
  Advance(now);
  return !by_due_.empty() && by_due_.begin()->first <= clock_;
}

std::vector<model::SessionId> Leases::TakeDue(base::Instant now, size_t max) {
  Advance(now);
  std::vector<model::SessionId> due;
  while (due.size() < max && !by_due_.empty() && by_due_.begin()->first <= clock_) {
    const model::SessionId session = by_due_.begin()->second;
    leases_.at(session).expiring = true;
    by_due_.erase(by_due_.begin());
    due.push_back(session);
  }
  return due;
}

base::Instant Leases::NextDeadline() const {
  if (!running_ || by_due_.empty()) return base::kNever;
  const base::Duration left = by_due_.begin()->first - clock_;
  // The clock has to be told the time at least every step, or it falls behind.
  return told_ + std::clamp(left, base::Duration(0), step_max_);
}

void Leases::Advance(base::Instant now) {
  if (!running_) return;
  CHECK(now >= told_);
  clock_ += std::min(now - told_, step_max_);
  told_ = now;
}

}  // namespace pando::session
