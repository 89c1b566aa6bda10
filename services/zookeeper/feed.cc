#include "zookeeper/feed.h"

#include <algorithm>
#include <utility>

namespace pando::zookeeper {

void Feed::Restart() { live_ = begun_ = false; }

void Feed::Take(Turn turn) {
  if (turn.lags) live_ = false;
  auto batch = turn.batches.begin();
  for (io::Completion& completion : turn.completions) {
    while (batch != turn.batches.end() && batch->revision <= completion.reply.revision) {
      Take(*batch++);
    }
    // What waits for one waits for all behind it: the answers of a connection have an order.
    if (held_.empty() && (live_ || completion.reply.revision <= told_)) {
      Give(std::move(completion));
    } else {
      held_.push_back(std::move(completion));
    }
  }
  while (batch != turn.batches.end()) Take(*batch++);
}

void Feed::Take(const model::StreamBatch& batch) {
  if (batch.batch != nullptr) {
    Release(batch.revision - 1);
    reader_->OnChanges(*batch.batch);
  } else {
    live_ = begun_ = true;  // a mark: only a stream that lacks nothing gets one
  }
  told_ = std::max(told_, batch.revision);
  Release(told_);
}

// An answer of up to that revision lacks no changes any more.
void Feed::Release(model::Revision through) {
  while (!held_.empty() && held_.front().reply.revision <= through) {
    io::Completion completion = std::move(held_.front());
    held_.pop_front();
    Give(std::move(completion));
  }
}

void Feed::Give(io::Completion completion) {
  if (live_) told_ = std::max(told_, completion.reply.revision);
  reader_->OnCompletion(std::move(completion));
}

}  // namespace pando::zookeeper
