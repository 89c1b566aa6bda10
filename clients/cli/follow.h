// FollowChanges: a watch that survives its servers.
#ifndef PANDO_CLIENTS_CLI_FOLLOW_H_
#define PANDO_CLIENTS_CLI_FOLLOW_H_

#include <cstdint>
#include <functional>
#include <mutex>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

// Ends a watch from another thread.
class FollowStop {
 public:
  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  // Of the thread that follows: what Stop cancels from now on (null: nothing). Whether it has been
  // called.
  bool Watch(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    context_ = context;
    return stopped_;
  }

 private:
  std::mutex mutex_;
  grpc::ClientContext* context_ = nullptr;  // guarded by mutex_
  bool stopped_ = false;                    // guarded by mutex_
};

struct ChangeFollower {
  // Each event once, in order. A failure ends the watch.
  std::function<absl::Status(const v1::WatchEvent&)> on_event;
  // After the events of each message: nothing more is at hand.
  std::function<void()> on_idle;
  // The watch was resumed on a new stream, after this revision.
  std::function<void(int64_t)> on_resume;
  // Null: nobody ends it. Once it is stopped the watch ends with CANCELLED, when its server
  // answers or has been given up.
  FollowStop* stop = nullptr;
};

// Streams the targets of `request` from its start_revision (0: from now) until something ends it.
// When the stream breaks it goes on from the last revision seen, on a server that answers, without
// repeat or gap. REQUIRES: no send_initial.
absl::Status FollowChanges(Connection* connection, v1::WatchRequest request,
                           const ChangeFollower& follower);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_FOLLOW_H_
