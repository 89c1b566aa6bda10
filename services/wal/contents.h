// Contents: which entries a WAL holds, their terms, and in which batch each one lies.
//
// Costs memory per batch and per change of term, not per entry. Owned by one thread.
//
//            first()                       last()
//   previous()  |  batch 7  |  batch 8 |  …  |
#ifndef PANDO_WAL_CONTENTS_H_
#define PANDO_WAL_CONTENTS_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "model/ids.h"
#include "wal/format.h"

namespace pando::wal {

// Where a batch begins.
struct BatchPlace {
  BatchNumber segment;  // the first batch of its segment
  uint64_t offset = 0;

  friend bool operator==(const BatchPlace&, const BatchPlace&) = default;
};

class Contents {
 public:
  // Entries [first, last] lie in the batch at `place`.
  struct Extent {
    model::Revision first;
    model::Revision last;
    BatchPlace place;
  };

  // Just before the first entry. The log is empty if it is last().
  Position previous() const { return previous_; }
  Position last() const;
  bool empty() const { return extents_.empty(); }
  // The term of the entry at `index`, or of previous(). None: the log does not hold it.
  std::optional<model::Term> TermAt(model::Revision index) const;
  // REQUIRES: previous().index < index <= last().index.
  const Extent& Find(model::Revision index) const;
  // The newest entry that lies in the log's oldest segments up to `segment`; none if there is none.
  model::Revision LastUpTo(BatchNumber segment) const;

  // Cuts all entries after `position`, which becomes last(). If the log begins later than that, it
  // is empty now and begins there. REQUIRES: TermAt(position.index) is its term, or it is older
  // than previous().
  void CutAfter(Position position);
  // Puts the next entry after last(). REQUIRES: `place` is not before that of last().
  void Push(BatchPlace place, model::Term term);
  // Forgets entries up to `index`. REQUIRES: previous().index <= index <= last().index.
  void DropUpTo(model::Revision index);
  // Forgets everything; the log begins after `position`.
  void Reset(Position position);

 private:
  struct Run {
    model::Revision first;
    model::Term term;
  };

  Position previous_;
  // Both by index, without gaps. Runs: the entries from `first` on up to the next run's.
  std::deque<Extent> extents_;
  std::deque<Run> runs_;
};

}  // namespace pando::wal

#endif  // PANDO_WAL_CONTENTS_H_
