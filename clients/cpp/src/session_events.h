// SessionEvents: what happened to a session, for all who listen. Thread-safe.
#ifndef PANDO_CLIENTS_CPP_SRC_SESSION_EVENTS_H_
#define PANDO_CLIENTS_CPP_SRC_SESSION_EVENTS_H_

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "pando/client/feed.h"
#include "pando/client/options.h"

namespace pando::client {

class SessionEvents final {
 public:
  // One that begins with how the session stands now.
  std::shared_ptr<Feed<SessionEvent>> NewFeed();
  void Emit(SessionEvent event);
  // Ends all feeds well.
  void End();

 private:
  std::mutex mutex_;
  std::optional<SessionEvent> last_;
  bool ended_ = false;
  std::vector<std::shared_ptr<Feed<SessionEvent>>> feeds_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_SESSION_EVENTS_H_
