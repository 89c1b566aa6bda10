// Subscription: what is behind a Watch: its targets, its cursor, and the events to be taken.
#ifndef PANDO_CLIENTS_CPP_SRC_SUBSCRIPTION_H_
#define PANDO_CLIENTS_CPP_SRC_SUBSCRIPTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "pando/client/feed.h"
#include "pando/v1/tree.pb.h"

namespace pando::client {

// What a Watch was given to be told by, until it is closed.
class ReadyCallback final {
 public:
  // Before anybody else has it.
  void Set(std::function<void()> callback) { callback_ = std::move(callback); }
  // On the session's thread.
  void Run();
  // It does not run when this returns, and never again; from within it, it still does.
  void Drop();

 private:
  std::recursive_mutex mutex_;
  std::function<void()> callback_;
};

struct Subscription {
  // One that has so many events to be taken lags: it leaves the stream until half are taken.
  static constexpr size_t kEventsMax = 10'000;

  // It has not been told this one, and it is for it. The session's thread's own.
  bool Wants(const v1::WatchEvent& event) const;

  // Set before anybody else has it.
  std::vector<v1::WatchTarget> targets;
  std::vector<v1::WalkEntry> initial;
  int64_t start_revision = 0;
  // For every thread.
  Feed<v1::WatchEvent> events;
  ReadyCallback on_ready;
  // Set by the session's thread, and read by whoever takes events.
  std::atomic<bool> lagging{false};
  // The session's thread's own: all up to here was told.
  int64_t cursor = 0;
};

// As the server matches them.
bool Matches(const v1::WatchTarget& target, const v1::WatchEvent& event);

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_SUBSCRIPTION_H_
