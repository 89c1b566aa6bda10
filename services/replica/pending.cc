#include "replica/pending.h"

#include <algorithm>

#include "base/check.h"

namespace pando::replica {

PendingCommand* Pending::Add(PendingCommand pending) {
  const model::SourceNumber number = first_ + commands_.size();
  pending.command.source = source_;
  pending.command.number = number;
  if (pending.deadline != base::kNever) deadlines_.insert({pending.deadline, number});
  commands_.push_back(std::move(pending));
  return &commands_.back();
}

PendingCommand Pending::TakeApplied(model::SourceNumber number) {
  CHECK(!commands_.empty());
  CHECK(number == first_);
  PendingCommand pending = std::move(commands_.front());
  commands_.pop_front();
  deadlines_.erase({pending.deadline, number});
  ++first_;
  next_ = std::max(next_, first_);
  return pending;
}

void Pending::Hasten(base::Instant deadline) {
  model::SourceNumber number = first_;
  for (PendingCommand& pending : commands_) {
    if (!pending.answered && pending.deadline > deadline) {
      deadlines_.erase({pending.deadline, number});
      pending.deadline = deadline;
      deadlines_.insert({deadline, number});
    }
    ++number;
  }
}

PendingCommand* Pending::NextToSend() {
  const auto place = static_cast<size_t>(next_ - first_);
  return place < commands_.size() ? &commands_[place] : nullptr;
}

void Pending::Sent() {
  NextToSend()->sent = true;
  ++next_;
}

std::vector<PendingCommand*> Pending::TakeExpired(base::Instant now) {
  std::vector<PendingCommand*> expired;
  while (next_deadline() <= now) {
    const model::SourceNumber number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    PendingCommand& pending = commands_[static_cast<size_t>(number - first_)];
    CHECK(!pending.answered);
    pending.answered = true;
    expired.push_back(&pending);
  }
  return expired;
}

}  // namespace pando::replica
