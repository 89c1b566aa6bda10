#include "api/egress_thread.h"

#include <pthread.h>

#include <iterator>
#include <utility>

namespace pando::api {

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
  const bool idle = parcels_.empty() && writers_.empty();
  if (parcels_.empty()) {
    parcels_ = std::move(parcels);
  } else {
    parcels_.insert(parcels_.end(), std::make_move_iterator(parcels.begin()),
                    std::make_move_iterator(parcels.end()));
  }
  if (idle) filled_.NotifyOne();
}

void EgressThread::Schedule(std::shared_ptr<Writer> writer) {
  base::MutexLock lock(&mutex_);
  const bool idle = parcels_.empty() && writers_.empty();
  writers_.push_back(std::move(writer));
  if (idle) filled_.NotifyOne();
}

void EgressThread::Run() {
  pthread_setname_np(pthread_self(), "pando-egress");
  for (;;) {
    std::vector<Parcel> parcels;
    std::vector<std::shared_ptr<Writer>> writers;
    {
      base::MutexLock lock(&mutex_);
      while (parcels_.empty() && writers_.empty() && !stopping_) filled_.Wait(&mutex_);
      if (parcels_.empty() && writers_.empty()) return;
      parcels.swap(parcels_);
      writers.swap(writers_);
    }
    for (Parcel& parcel : parcels) parcel.sink->Deliver(std::move(parcel.completions));
    for (const std::shared_ptr<Writer>& writer : writers) writer->Pump();
  }
}

}  // namespace pando::api
