#include "raft/log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::raft {

std::optional<model::Term> Log::TermAt(model::Revision index) const {
  if (index == previous_) return previous_term_;
  if (index < previous_ || index > last()) return std::nullopt;
  return At(index)->term;
}

const EntryRef& Log::At(model::Revision index) const {
  CHECK(index >= first());
  CHECK(index <= last());
  return entries_[index - first()];
}

void Log::Push(EntryRef entry) {
  CHECK(entry->index == last() + 1);
  CHECK(entry->term >= last_term());
  bytes_ += entry->bytes();
  entries_.push_back(std::move(entry));
}

void Log::CutFrom(model::Revision first) {
  CHECK(first > previous_);
  while (last() >= first) {
    bytes_ -= entries_.back()->bytes();
    entries_.pop_back();
  }
}

void Log::Reset(model::Revision previous, model::Term previous_term) {
  entries_.clear();
  bytes_ = 0;
  previous_ = previous;
  previous_term_ = previous_term;
}

model::Revision Log::FindAgreeing(model::Revision index, model::Term term) const {
  index = std::min(index, last());
  while (index > previous_ && At(index)->term > term) index = index - 1;
  return index;
}

void Log::Compact(model::Revision index, size_t bytes_max) {
  size_t newer = 0;
  if (bytes_max > 0) {
    for (model::Revision at = index + 1; at <= last(); ++at) newer += At(at)->bytes();
  }
  while (!entries_.empty() && entries_.front()->index <= index && bytes_ - newer > bytes_max) {
    previous_ = entries_.front()->index;
    previous_term_ = entries_.front()->term;
    bytes_ -= entries_.front()->bytes();
    entries_.pop_front();
  }
}

}  // namespace pando::raft
