#include "session_events.h"

#include <utility>

#include "errors.h"

namespace pando::client {

const char* Name(SessionEvent event) {
  switch (event) {
    case SessionEvent::kConnected:
      return "CONNECTED";
    case SessionEvent::kSuspended:
      return "SUSPENDED";
    case SessionEvent::kReconnected:
      return "RECONNECTED";
    case SessionEvent::kLost:
      return "LOST";
  }
  return "";
}

std::shared_ptr<Feed<SessionEvent>> SessionEvents::NewFeed() {
  auto feed = std::make_shared<Feed<SessionEvent>>();
  std::lock_guard lock(mutex_);
  if (last_) feed->Put({*last_});
  if (ended_) {
    feed->End(Closed());
  } else {
    feeds_.push_back(feed);
  }
  return feed;
}

void SessionEvents::Emit(SessionEvent event) {
  std::lock_guard lock(mutex_);
  last_ = event;
  for (const auto& feed : feeds_) feed->Put({event});
}

void SessionEvents::End() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  for (const auto& feed : std::exchange(feeds_, {})) feed->End(Closed());
}

}  // namespace pando::client
