#include "replica/renewals.h"

#include <algorithm>

namespace pando::replica {

std::optional<io::RenewRequest> Renewals::TakeRequest(base::Instant now) {
  if (fresh_.empty() && (touched_.empty() || now < next_touch_)) return std::nullopt;
  next_touch_ = now + kTouchInterval;
  io::RenewRequest request{.id = ++last_id_};
  for (const Waiting& waiting : fresh_) request.sessions.push_back(waiting.session);
  std::vector<model::SessionId> touched(touched_.begin(), touched_.end());
  std::sort(touched.begin(), touched.end());  // hash order must not show
  request.sessions.insert(request.sessions.end(), touched.begin(), touched.end());
  touched_.clear();
  if (!fresh_.empty()) batches_[request.id] = {now + kPatience, std::exchange(fresh_, {})};
  return request;
}

std::vector<Renewals::Answered> Renewals::TakeAnswered(const io::RenewReply& reply) {
  std::vector<Answered> answered;
  const auto found = batches_.find(reply.id);
  if (found == batches_.end()) return answered;
  std::vector<Waiting>& waiting = found->second.waiting;
  for (size_t i = 0; i < waiting.size(); ++i) {
    const int64_t left = i < reply.time_left_ms.size() ? reply.time_left_ms[i] : 0;
    answered.push_back({std::move(waiting[i]), left});
  }
  batches_.erase(found);
  return answered;
}

std::vector<Renewals::Waiting> Renewals::TakeExpired(base::Instant now) {
  std::vector<Waiting> expired;
  while (!batches_.empty() && batches_.begin()->second.until <= now) {
    for (Waiting& waiting : batches_.begin()->second.waiting) expired.push_back(std::move(waiting));
    batches_.erase(batches_.begin());
  }
  return expired;
}

std::vector<Renewals::Waiting> Renewals::TakeAll() {
  std::vector<Waiting> all = TakeExpired(base::kNever);
  for (Waiting& waiting : fresh_) all.push_back(std::move(waiting));
  fresh_.clear();
  return all;
}

base::Instant Renewals::next_deadline() const {
  return batches_.empty() ? base::kNever : batches_.begin()->second.until;
}

}  // namespace pando::replica
