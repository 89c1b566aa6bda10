#include "server/core_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pando::server {
namespace {

// There is a turn at least this often, so that /healthz can tell an idle core from one that hangs,
// and Stop's patience is kept.
constexpr base::Duration kIdleTurn = std::chrono::milliseconds(250);

}  // namespace

CoreThread::CoreThread(io::Inbox* inbox, std::unique_ptr<replica::Replica> replica, Clocks clocks,
                       io::Egress* egress, std::function<void(base::Instant)> on_turn)
    : inbox_(inbox),
      replica_(std::move(replica)),
      clocks_(std::move(clocks)),
      on_turn_(std::move(on_turn)) {
  inbox_->SetTurn([this](std::vector<io::Event>* events) { return Turn(events); }, egress);
  thread_ = std::thread([this] { Run(); });
}

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

// The last turn is kept: nobody runs another one.
void CoreThread::Run() {
  pthread_setname_np(pthread_self(), "pando-core");
  std::vector<io::Event> events;
  base::Instant due = clocks_.now();
  do {
    inbox_->Take(clocks_.now, due, &events);
    due = Turn(&events);
  } while (!finished_ && clocks_.now() < give_up_.load());
}

base::Instant CoreThread::Turn(std::vector<io::Event>* events) {
  const base::WallTime wall = clocks_.wall();
  for (io::Event& event : *events) {
    // Read again for each: a lease must not be renewed as of before a slow neighbour.
    replica_->Handle(clocks_.now(), wall, std::move(event));
  }
  events->clear();
  const base::Instant now = clocks_.now();
  replica_->Flush(now, wall);
  on_turn_(now);
  finished_ = replica_->finished();
  return finished_ ? now : std::min(replica_->NextDeadline(), now + kIdleTurn);
}

}  // namespace pando::server
