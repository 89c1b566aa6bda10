// ChangeRun: every change of a contiguous run of revisions, in memory.
#ifndef PANDO_WATCH_CHANGE_RUN_H_
#define PANDO_WATCH_CHANGE_RUN_H_

#include <cstddef>
#include <deque>
#include <memory>

#include "model/change.h"
#include "model/ids.h"

namespace pando::watch {

using ChangeBatchPtr = std::shared_ptr<const model::ChangeBatch>;

// Holds every change of the revisions [from, through]; empty if through is below from. Most
// revisions have changes, some have none: `batches` ascend, with gaps.
struct ChangeRun {
  model::Revision from;
  model::Revision through;
  std::deque<ChangeBatchPtr> batches = {};

  bool Holds(model::Revision revision) const { return from <= revision && revision <= through; }
  // Index of the first batch at `revision` or after it; batches.size() if there is none.
  size_t FirstFrom(model::Revision revision) const;
};

// ChangeWindow: the newest changes, up to the one applied last.
//
//     change log on disk: [oldest_change ........... stored]
//     this window:                    [from ............ through = applied]
//
// Never trimmed above the stored revision, so that the two leave no gap.
class ChangeWindow {
 public:
  ChangeWindow(model::Revision applied, size_t bytes_max);

  // REQUIRES: revision > run().through. Null: no changes in it.
  void Append(model::Revision revision, ChangeBatchPtr batch);
  // Forgets the oldest batches that are at `stored` or below, as far as the bytes ask for.
  void Trim(model::Revision stored);
  // Forgets everything: what comes next is above `applied`.
  void Restart(model::Revision applied);

  const ChangeRun& run() const { return run_; }
  size_t bytes() const { return bytes_; }

 private:
  const size_t bytes_max_;
  ChangeRun run_;
  size_t bytes_ = 0;
};

}  // namespace pando::watch

#endif  // PANDO_WATCH_CHANGE_RUN_H_
