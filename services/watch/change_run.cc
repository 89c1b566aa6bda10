#include "watch/change_run.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::watch {

size_t ChangeRun::FirstFrom(model::Revision revision) const {
  const auto first = std::lower_bound(
      batches.begin(), batches.end(), revision,
      [](const ChangeBatchPtr& batch, model::Revision r) { return batch->revision < r; });
  return static_cast<size_t>(first - batches.begin());
}

ChangeWindow::ChangeWindow(model::Revision applied, size_t bytes_max)
    : bytes_max_(bytes_max), run_{applied + 1, applied} {}

void ChangeWindow::Append(model::Revision revision, ChangeBatchPtr batch) {
  CHECK(revision > run_.through);
  run_.through = revision;
  if (batch == nullptr) return;
  CHECK(batch->revision == revision);
  bytes_ += batch->bytes();
  run_.batches.push_back(std::move(batch));
}

void ChangeWindow::Trim(model::Revision stored) {
  while (bytes_ > bytes_max_ && run_.batches.front()->revision <= stored) {
    const ChangeBatchPtr& oldest = run_.batches.front();
    CHECK(oldest->revision >= run_.from);
    run_.from = oldest->revision + 1;
    bytes_ -= oldest->bytes();
    run_.batches.pop_front();
  }
  CHECK(run_.from <= run_.through + 1);
}

void ChangeWindow::Restart(model::Revision applied) {
  run_ = {applied + 1, applied};
  bytes_ = 0;
}

}  // namespace pando::watch
