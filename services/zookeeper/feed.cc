#include "zookeeper/feed.h"

#include <algorithm>
#include <utility>

namespace pando::zookeeper {

void Feed::Restart() { live_ = begun_ = false; }

void Feed::Take(Turn turn) {
  size_t taken = 0;
  const auto note_lag = [&] {
    if (turn.lags_after == taken) live_ = false;
  };
  const auto take_next = [&] {
    note_lag();
    Take(turn.batches[taken++]);
  };
  for (io::Completion& completion : turn.completions) {
    while (taken < turn.batches.size() &&
           turn.batches[taken].revision <= completion.reply.revision) {
      take_next();
    }
    note_lag();
    // What waits for one waits for all behind it: the answers of a connection have an order.
    if (held_.empty() && (live_ || completion.reply.revision <= told_)) {
      Give(std::move(completion));
    } else {
      held_.push_back(std::move(completion));
    }
  }
  while (taken < turn.batches.size()) take_next();
  note_lag();
}

void Feed::Take(const model::StreamBatch& batch) {
  // Only a stream that lacks nothing gets a mark, and all do but one that was opened before there
  // was any change: its first batch shows that it lacks nothing.
  if (batch.batch == nullptr || !told_) live_ = begun_ = true;
  if (batch.batch != nullptr) {
    Release(batch.revision - 1);
    reader_->OnChanges(*batch.batch);
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
