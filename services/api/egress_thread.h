// EgressThread: serialises and writes what the core hands out: replies, and the Outboxes of watch
// streams. Everything that the core sends in one turn costs one wake-up of its thread, or none: who
// has lent itself for the turn delivers a single call's replies after it, in the thread's place.
// Thread-safe.
#ifndef PANDO_API_EGRESS_THREAD_H_
#define PANDO_API_EGRESS_THREAD_H_

#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "io/client.h"

namespace pando::api {

// A stream with something to write.
class Writer {
 public:
  virtual ~Writer() = default;
  // Starts to write unless it is writing already. Runs on the egress thread; must not block.
  virtual void Pump() = 0;
};

class EgressThread : public io::Egress {
 public:
  EgressThread();
  // After everything that was handed over is delivered.
  ~EgressThread() override;

  void Send(std::vector<Parcel> parcels) override PANDO_EXCLUDES(mutex_);
  bool Hold() override PANDO_EXCLUDES(mutex_);
  void Release() override PANDO_EXCLUDES(mutex_);
  // `writer->Pump()` runs soon.
  void Schedule(std::shared_ptr<Writer> writer) PANDO_EXCLUDES(mutex_);

 private:
  void Run() PANDO_EXCLUDES(mutex_);
  bool queued() const PANDO_REQUIRES(mutex_) { return !parcels_.empty() || !writers_.empty(); }
  // Somebody delivers already, and looks again afterwards, or will be woken.
  bool awaited() const PANDO_REQUIRES(mutex_) { return busy_ || queued(); }

  base::Mutex mutex_;
  base::CondVar filled_;
  std::vector<Parcel> parcels_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Writer>> writers_ PANDO_GUARDED_BY(mutex_);
  // One thread at a time delivers, so that a sink gets its replies in their order.
  bool busy_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pando::api

#endif  // PANDO_API_EGRESS_THREAD_H_
