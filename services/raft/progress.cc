#include "raft/progress.h"

#include <algorithm>

#include "base/check.h"
#include "model/limits.h"

namespace pando::raft {

bool Progress::MaySend() const {
  switch (state_) {
    case State::kProbe:
      return !probe_sent_;
    case State::kReplicate:
      return in_flight_.size() < model::kInFlightMessagesMax &&
             in_flight_bytes_ < model::kInFlightBytesMax;
    case State::kSnapshot:
      return false;
  }
  return false;
}

void Progress::Sent(model::Revision last, size_t bytes, uint64_t round) {
  CHECK(MaySend());
  CHECK(last + 1 >= next_);
  last_sent_round_ = round;
  if (state_ == State::kProbe) {
    probe_sent_ = true;
    probe_ = {last, bytes};
    return;
  }
  if (last < next_) return;  // no entries: nothing will be acknowledged for them
  next_ = last + 1;
  in_flight_.push_back({last, bytes});
  in_flight_bytes_ += bytes;
}

bool Progress::Taken(model::Revision match) {
  const bool news = match > match_;
  match_ = std::max(match_, match);
  if (state_ == State::kProbe) {
    Replicate();
    return news;
  }
  next_ = std::max(next_, match_ + 1);
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  // An acknowledgement that is not newer may be of before the snapshot.
  if (state_ == State::kSnapshot && news) Probe(match_ + 1);
  return news;
}

// The probe was taken; or the acknowledgement is of before it, and yet says where the logs agree.
// If what the probe carries comes after that, it is under way, and need not be sent again.
void Progress::Replicate() {
  const bool carries = probe_sent_ && match_ + 1 >= next_ && probe_.last > match_;
  state_ = State::kReplicate;
  next_ = match_ + 1;
  if (!carries) return;
  in_flight_.push_back(probe_);
  in_flight_bytes_ = probe_.bytes;
  next_ = probe_.last + 1;
}

void Progress::Refused(model::Revision previous, model::Revision hint) {
  if (previous <= match_) return;  // of long ago
  if (state_ == State::kSnapshot) return;
  if (state_ == State::kProbe && previous + 1 != next_) return;
  Probe(std::max(match_, std::min(hint, previous - 1)) + 1);
}

void Progress::Heard(uint64_t round, model::Revision verified) {
  if (round <= last_sent_round_) return;
  if (state_ == State::kProbe) {
    probe_sent_ = false;
  } else if (state_ == State::kReplicate && verified + 1 < next_) {
    Probe(match_ + 1);
  } else if (state_ == State::kSnapshot && snapshot_patience_ != base::kNever &&
             verified > match_) {
    // It has installed the snapshot, and its word of that was lost.
    Probe(verified + 1);
  }
}

void Progress::WaitForSnapshot() {
  Probe(match_ + 1);
  state_ = State::kSnapshot;
}

void Progress::Probe(model::Revision next) {
  state_ = State::kProbe;
  next_ = next;
  probe_sent_ = false;
  waits_for_disk = false;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  snapshot_patience_ = base::kNever;
}

}  // namespace pando::raft
