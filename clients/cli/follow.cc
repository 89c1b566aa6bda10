#include "cli/follow.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace pando::cli {
namespace {

class Following {
 public:
  Following(Connection* connection, v1::WatchRequest request, const ChangeFollower& follower)
      : connection_(*connection), request_(std::move(request)), follower_(follower) {}

  absl::Status Run() {
    PANDO_RETURN_IF_ERROR(connection_.Call(
        CallKind::kStream, [this](const Server& server, grpc::ClientContext* context) {
          return RunStream(server, context);
        }));
    return outcome_;
  }

 private:
  // OK when the watch is at its end, `outcome_` says which; else why the stream is no good.
  grpc::Status RunStream(const Server& server, grpc::ClientContext* context) {
    to_skip_ = seen_of_partial_;
    const bool stopped = follower_.stop != nullptr && follower_.stop->Watch(context);
    if (stopped) return Stopped();
    connection_.Prepare(request_.mutable_header());
    const auto rpc = server.tree->Watch(context, request_);
    v1::WatchResponse response;
    bool first = true;
    while (outcome_.ok() && rpc->Read(&response)) {
      connection_.Alive();
      connection_.Heard(response.header());
      if (first && ran_before_) follower_.on_resume(request_.start_revision() - 1);
      first = false;
      ran_before_ = true;
      outcome_ = Take(response);
    }
    if (!outcome_.ok()) context->TryCancel();
    const grpc::Status status = rpc->Finish();
    if (follower_.stop != nullptr && follower_.stop->Watch(nullptr)) return Stopped();
    if (!outcome_.ok()) return grpc::Status::OK;
    // Without an end of its own a watch has none: the server is going away.
    if (status.ok()) return {grpc::StatusCode::UNAVAILABLE, "the server ended the watch"};
    return status;
  }

  grpc::Status Stopped() {
    if (outcome_.ok()) outcome_ = absl::CancelledError("the watch was stopped");
    return grpc::Status::OK;
  }

  absl::Status Take(const v1::WatchResponse& response) {
    for (const v1::WatchEvent& event : response.events()) {
      // A stream that broke between the parts of a revision gives all of it again.
      if (to_skip_ > 0) {
        --to_skip_;
        continue;
      }
      PANDO_RETURN_IF_ERROR(follower_.on_event(event));
      ++seen_of_partial_;
    }
    if (!response.partial()) {
      seen_of_partial_ = 0;
      to_skip_ = 0;
      request_.set_start_revision(response.progress_revision() + 1);
    }
    follower_.on_idle();
    return absl::OkStatus();
  }

  Connection& connection_;
  v1::WatchRequest request_;  // its start_revision is where the next stream goes on
  const ChangeFollower& follower_;
  bool ran_before_ = false;
  // Events of the revision at start_revision that were handed on, when not all of it has come yet.
  uint64_t seen_of_partial_ = 0;
  uint64_t to_skip_ = 0;
  absl::Status outcome_;
};

}  // namespace

absl::Status FollowChanges(Connection* connection, v1::WatchRequest request,
                           const ChangeFollower& follower) {
  CHECK(!request.send_initial());
  return Following(connection, std::move(request), follower).Run();
}

}  // namespace pando::cli
