#include "api/egress_thread.h"

#include <pthread.h>

#include <iterator>
#include <utility>

#include "base/check.h"

namespace pando::api {
namespace {

// What a thread with other work delivers.
constexpr size_t kReleasedCompletionsMax = 16;

void Deliver(std::vector<io::Egress::Parcel> parcels) {
  for (io::Egress::Parcel& parcel : parcels) parcel.sink->Deliver(std::move(parcel.completions));
}

}  // namespace

EgressThread::EgressThread() : thread_([this] { Run(); }) {}

EgressThread::~EgressThread() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    filled_.NotifyOne();
  }
  thread_.join();
}

void EgressThread::Send(std::vector<Parcel> parcels) {
  if (parcels.empty()) return;
  base::MutexLock lock(&mutex_);
  const bool wake = !awaited();
  if (parcels_.empty()) {
    parcels_ = std::move(parcels);
  } else {
    parcels_.insert(parcels_.end(), std::make_move_iterator(parcels.begin()),
                    std::make_move_iterator(parcels.end()));
  }
  if (wake) filled_.NotifyOne();
}

bool EgressThread::Hold() {
  base::MutexLock lock(&mutex_);
  if (awaited()) return false;
  busy_ = true;
  return true;
}

void EgressThread::Release() {
  CHECK(base::locks_held == 0);
  std::vector<Parcel> parcels;
  {
    base::MutexLock lock(&mutex_);
    CHECK(busy_);
    const bool little =
        parcels_.size() == 1 && parcels_.front().completions.size() <= kReleasedCompletionsMax;
    if (little) parcels.swap(parcels_);
  }
  Deliver(std::move(parcels));
  base::MutexLock lock(&mutex_);
  busy_ = false;
  if (queued() || stopping_) filled_.NotifyOne();
}

void EgressThread::Schedule(std::shared_ptr<Writer> writer) {
  base::MutexLock lock(&mutex_);
  const bool wake = !awaited();
  writers_.push_back(std::move(writer));
  if (wake) filled_.NotifyOne();
}

void EgressThread::Run() {
  pthread_setname_np(pthread_self(), "pando-egress");
  for (;;) {
    std::vector<Parcel> parcels;
    std::vector<std::shared_ptr<Writer>> writers;
    {
      base::MutexLock lock(&mutex_);
      while (busy_ || (!queued() && !stopping_)) filled_.Wait(&mutex_);
      if (!queued()) return;
      busy_ = true;
      parcels.swap(parcels_);
      writers.swap(writers_);
    }
    Deliver(std::move(parcels));
    for (const std::shared_ptr<Writer>& writer : writers) writer->Pump();
    base::MutexLock lock(&mutex_);
    busy_ = false;
  }
}

}  // namespace pando::api
