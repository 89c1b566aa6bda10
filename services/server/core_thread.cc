#include "server/core_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace pando::server {
namespace {

// The loop turns at least this often, so that /healthz can tell an idle core from one that hangs,
// and Stop's patience is kept.
constexpr base::Duration kIdleTurn = std::chrono::milliseconds(250);

}  // namespace

CoreThread::CoreThread(io::Inbox* inbox, std::unique_ptr<replica::Replica> replica, Clocks clocks,
                       std::function<void(base::Instant)> on_turn)
    : inbox_(inbox),
      replica_(std::move(replica)),
      clocks_(std::move(clocks)),
      on_turn_(std::move(on_turn)),
      thread_([this] { Run(); }) {}

CoreThread::~CoreThread() { CHECK(!thread_.joinable()); }

bool CoreThread::Stop(base::Duration patience) {
  const base::Instant now = clocks_.now();
  give_up_ = now + patience;
  // Some of it is left for the answers themselves.
  inbox_->Post(io::Shutdown{.answer_by = now + patience * 3 / 4});
  thread_.join();
  replica_.reset();
  return finished_;
}

void CoreThread::Run() {
  pthread_setname_np(pthread_self(), "pando-core");
  std::vector<io::Event> events;
  base::Instant now = clocks_.now();
  while (!finished_ && now < give_up_.load()) {
    on_turn_(now);
    const base::Instant wake = std::min(replica_->NextDeadline(), now + kIdleTurn);
    inbox_->Drain(std::max(wake - now, base::Duration(0)), &events);
    const base::WallTime wall = clocks_.wall();
    for (io::Event& event : events) {
      // Read again for each: a lease must not be renewed as of before a slow neighbour.
      replica_->Handle(clocks_.now(), wall, std::move(event));
    }
    events.clear();
    now = clocks_.now();
    replica_->Flush(now, wall);
    finished_ = replica_->finished();
  }
}

}  // namespace pando::server
