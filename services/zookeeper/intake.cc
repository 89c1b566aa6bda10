#include "zookeeper/intake.h"

#include <iterator>
#include <utility>

#include "base/check.h"

namespace pando::zookeeper {

std::vector<Turn> Intake::Take(bool* drained) {
  base::MutexLock lock(&mutex_);
  *drained = std::exchange(refused_, false);
  bytes_ = 0;
  return std::exchange(ended_, {});
}

void Intake::Send(std::vector<Parcel> parcels) {
  bool first = false;
  {
    base::MutexLock lock(&mutex_);
    for (Parcel& parcel : parcels) {
      open_.completions.insert(open_.completions.end(),
                               std::make_move_iterator(parcel.completions.begin()),
                               std::make_move_iterator(parcel.completions.end()));
    }
    if (open_.batches.empty() && open_.completions.empty() && !open_.lags_after &&
        !open_.stream_ended) {
      return;
    }
    first = ended_.empty();
    ended_.push_back(std::exchange(open_, {}));
  }
  if (first) wake_();
}

bool Intake::TryWrite(model::StreamBatch batch) {
  base::MutexLock lock(&mutex_);
  const size_t bytes = batch.bytes();
  if (bytes_ > 0 && bytes_ + bytes > kBytesMax) {
    refused_ = true;
    open_.lags_after = open_.batches.size();
    return false;
  }
  bytes_ += bytes;
  open_.batches.push_back(std::move(batch));
  return true;
}

void Intake::End(model::Error error) {
  base::MutexLock lock(&mutex_);
  open_.stream_ended = std::move(error);
}

// It does not ask for the state of anything.
bool Intake::TryWriteInitial(model::Revision, model::WalkResult) {
  base::Fatal("the ZooKeeper port was sent an initial state");
}
void Intake::WriteInitialDone(model::Revision, model::WalkResult) {
  base::Fatal("the ZooKeeper port was sent an initial state");
}

// Its completions come with Send, in the order of the turn.
void Intake::Deliver(std::vector<io::Completion>) {
  base::Fatal("the ZooKeeper port's answers came without their turn");
}

}  // namespace pando::zookeeper
