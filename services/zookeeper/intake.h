// Intake: what the core has for the ZooKeeper port, a turn at a time: the changes of the whole
// tree, and answers. The core writes it, the port's thread takes it: one wake-up a turn.
//
// Thread-safe.
#ifndef PANDO_ZOOKEEPER_INTAKE_H_
#define PANDO_ZOOKEEPER_INTAKE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "io/client.h"
#include "model/reply.h"
#include "model/watch.h"

namespace pando::zookeeper {

// One turn of the core, as far as it concerns the port.
struct Turn {
  std::vector<model::StreamBatch> batches;  // in the order of their revisions
  // After so many of them there were more, and those were refused: they come later.
  std::optional<size_t> lags_after;
  // In the order in which they were decided; none of them shows a change of a later turn.
  std::vector<io::Completion> completions;
  std::optional<model::Error> stream_ended;  // after `batches`
};

class Intake : public io::Egress, public io::Stream, public io::ReplySink {
 public:
  // Of changes that were not taken yet; beyond it the stream lags.
  static constexpr size_t kBytesMax = size_t{16} << 20;

  // `wake` is called when there is something to take and the last Take() found nothing; it must not
  // block.
  explicit Intake(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The turns that have ended. `*drained`: the stream was refused, and has room again.
  std::vector<Turn> Take(bool* drained) PANDO_EXCLUDES(mutex_);

  // The core's. All parcels are for this.
  void Send(std::vector<Parcel> parcels) override PANDO_EXCLUDES(mutex_);
  bool TryWrite(model::StreamBatch batch) override PANDO_EXCLUDES(mutex_);
  bool TryWriteInitial(model::Revision revision, model::WalkResult part) override;
  void WriteInitialDone(model::Revision revision, model::WalkResult rest) override;
  void End(model::Error error) override PANDO_EXCLUDES(mutex_);
  void Deliver(std::vector<io::Completion> completions) override;

 private:
  const std::function<void()> wake_;
  base::Mutex mutex_;
  Turn open_ PANDO_GUARDED_BY(mutex_);
  std::vector<Turn> ended_ PANDO_GUARDED_BY(mutex_);
  size_t bytes_ PANDO_GUARDED_BY(mutex_) = 0;
  bool refused_ PANDO_GUARDED_BY(mutex_) = false;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_INTAKE_H_
