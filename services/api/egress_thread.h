// EgressThread: the thread that serialises and writes what the core hands out: replies, and the
// Outboxes of watch streams. Everything that the core sends in one turn costs one wake-up.
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
  // `writer->Pump()` runs soon.
  void Schedule(std::shared_ptr<Writer> writer) PANDO_EXCLUDES(mutex_);

 private:
  void Run() PANDO_EXCLUDES(mutex_);

  base::Mutex mutex_;
  base::CondVar filled_;
  std::vector<Parcel> parcels_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Writer>> writers_ PANDO_GUARDED_BY(mutex_);
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pando::api

#endif  // PANDO_API_EGRESS_THREAD_H_
