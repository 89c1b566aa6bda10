#include "wal/contents.h"

#include <algorithm>

#include "base/check.h"

namespace pando::wal {

Position Contents::last() const {
  if (extents_.empty()) return previous_;
  return {extents_.back().last, runs_.back().term};
}

std::optional<model::Term> Contents::TermAt(model::Revision index) const {
  if (index == previous_.index) return previous_.term;
  if (index < previous_.index || index > last().index) return std::nullopt;
  const auto after = std::partition_point(runs_.begin(), runs_.end(),
                                          [&](const Run& run) { return run.first <= index; });
  CHECK(after != runs_.begin());
  return std::prev(after)->term;
}

const Contents::Extent& Contents::Find(model::Revision index) const {
  const auto found = std::partition_point(extents_.begin(), extents_.end(),
                                          [&](const Extent& e) { return e.last < index; });
  CHECK(found != extents_.end());
  CHECK(found->first <= index);
  return *found;
}

model::Revision Contents::LastUpTo(BatchNumber segment) const {
  const auto after = std::partition_point(extents_.begin(), extents_.end(), [&](const Extent& e) {
    return e.place.segment <= segment;
  });
  if (after == extents_.begin()) return {};
  return std::prev(after)->last;
}

void Contents::CutAfter(Position position) {
  if (position.index < previous_.index) return Reset(position);
  CHECK(TermAt(position.index) == position.term);
  while (!extents_.empty() && extents_.back().first > position.index) extents_.pop_back();
  if (!extents_.empty()) {
    extents_.back().last = std::min(extents_.back().last, position.index);
  }
  while (!runs_.empty() && runs_.back().first > position.index) runs_.pop_back();
  CHECK(last() == position);
}

void Contents::Push(BatchPlace place, model::Term term) {
  const model::Revision index = last().index + 1;
  if (extents_.empty() || extents_.back().place != place) {
    if (!extents_.empty()) CHECK(extents_.back().place.segment <= place.segment);
    extents_.push_back({.first = index, .last = index, .place = place});
  } else {
    extents_.back().last = index;
  }
  if (runs_.empty() || runs_.back().term != term) runs_.push_back({.first = index, .term = term});
}

void Contents::DropUpTo(model::Revision index) {
  const std::optional<model::Term> term = TermAt(index);
  CHECK(term.has_value());
  previous_ = {index, *term};
  while (!extents_.empty() && extents_.front().last <= index) extents_.pop_front();
  if (extents_.empty()) {
    runs_.clear();
    return;
  }
  Extent& front = extents_.front();
  front.first = std::max(front.first, index + 1);
  while (runs_.size() > 1 && runs_[1].first <= index + 1) runs_.pop_front();
  runs_.front().first = front.first;
}

void Contents::Reset(Position position) {
  extents_.clear();
  runs_.clear();
  previous_ = position;
}

}  // namespace pando::wal
