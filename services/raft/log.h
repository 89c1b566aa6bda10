// Log: the entries that Raft still has in memory, and where the rest ends.
//
//   ........ | previous() | first() … last() |
//   on disk or in the store   in memory
//
// Owned by Raft.
#ifndef PANDO_RAFT_LOG_H_
#define PANDO_RAFT_LOG_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "model/entry.h"
#include "model/ids.h"
#include "raft/message.h"

namespace pando::raft {

class Log {
 public:
  // The log begins after (`previous`, `previous_term`).
  Log(model::Revision previous, model::Term previous_term)
      : previous_(previous), previous_term_(previous_term) {}

  model::Revision previous() const { return previous_; }
  model::Revision first() const { return previous_ + 1; }
  model::Revision last() const { return previous_ + entries_.size(); }
  model::Term last_term() const {
    return entries_.empty() ? previous_term_ : entries_.back()->term;
  }
  // Nothing: the log does not hold the entry in memory.
  std::optional<model::Term> TermAt(model::Revision index) const;
  // REQUIRES: first() <= index <= last().
  const EntryRef& At(model::Revision index) const;

  // REQUIRES: the entry's index is last() + 1, and its term not below last_term().
  void Push(EntryRef entry);
  // Cuts the entries from `first` on. REQUIRES: first() <= first.
  void CutFrom(model::Revision first);
  // Forgets everything; the log begins after (`previous`, `previous_term`).
  void Reset(model::Revision previous, model::Term previous_term);
  // Where another log, that has (`index`, `term`) at or after this place, may agree with this one:
  // the newest index at or before `index` whose term is not above `term`. What is before previous()
  // is not known, and may agree.
  model::Revision FindAgreeing(model::Revision index, model::Term term) const;
  // Forgets the oldest entries up to `index` until those up to it weigh at most `bytes_max`.
  void Compact(model::Revision index, size_t bytes_max);

  size_t bytes() const { return bytes_; }

 private:
  model::Revision previous_;
  model::Term previous_term_;
  std::deque<EntryRef> entries_;
  size_t bytes_ = 0;
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_LOG_H_
