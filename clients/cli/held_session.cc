#include "cli/held_session.h"

#include <thread>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "cli/server_error.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

// How often `stopped` is asked.
constexpr milliseconds kAskEvery{50};
// Beats in one timeout: two may be lost.
constexpr int kBeatsPerTimeout = 3;

}  // namespace

absl::Status HeldSession::Open(milliseconds timeout) {
  CHECK(id_ == 0);
  v1::OpenRequest request;
  request.set_timeout_ms(timeout.count());
  v1::OpenResponse response;
  // A session whose answer was lost is nobody's, and expires: so Open may be sent again.
  PANDO_RETURN_IF_ERROR(connection_.Call(CallKind::kRepeatableWrite,
                                         [&](const Server& server, grpc::ClientContext* context) {
                                           connection_.Prepare(request.mutable_header());
                                           attached_to_ = server.endpoint;
                                           return server.session->Open(context, request, &response);
                                         }));
  id_ = response.session_id();
  token_ = response.token();
  timeout_ = milliseconds(response.timeout_ms());
  return absl::OkStatus();
}

absl::Status HeldSession::KeepAlive(const std::function<bool()>& stopped) {
  CHECK(id_ != 0);
  while (!stopped()) {
    const auto next = Connection::Clock::now() + timeout_ / kBeatsPerTimeout;
    PANDO_RETURN_IF_ERROR(Beat());
    while (!stopped() && Connection::Clock::now() < next) std::this_thread::sleep_for(kAskEvery);
  }
  return absl::OkStatus();
}

// A beat is a stream of one message: one every few seconds costs nothing, and a server that went
// silent is left in time for the next. So is one that has lost the leader, because another may have
// found one.
absl::Status HeldSession::Beat() {
  v1::KeepAliveResponse response;
  PANDO_RETURN_IF_ERROR(
      connection_.Call(CallKind::kRead, [&](const Server& server, grpc::ClientContext* context) {
        if (server.endpoint != attached_to_) {
          if (const grpc::Status attached = Attach(server); !attached.ok()) return attached;
        }
        v1::KeepAliveRequest request;
        Sign(request.mutable_header(), context, 0);
        context->set_deadline(BeatDeadline());
        const auto rpc = server.session->KeepAlive(context);
        rpc->Write(request);
        rpc->WritesDone();
        const bool answered = rpc->Read(&response);
        const grpc::Status status = rpc->Finish();
        if (!status.ok()) return status;
        if (answered && response.state() != v1::SESSION_STATE_NO_LEADER) return status;
        return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                            answered ? "the server knows no leader" : "a beat was not answered");
      }));
  if (response.state() != v1::SESSION_STATE_EXPIRED) return absl::OkStatus();
  return absl::FailedPreconditionError("the session has expired (SESSION_EXPIRED)");
}

grpc::Status HeldSession::Attach(const Server& server) {
  grpc::ClientContext context;
  context.set_deadline(BeatDeadline());
  v1::AttachRequest request;
  v1::AttachResponse response;
  Sign(request.mutable_header(), &context, 0);
  const grpc::Status status = server.session->Attach(&context, request, &response);
  if (status.ok()) attached_to_ = server.endpoint;
  return status;
}

std::chrono::system_clock::time_point HeldSession::BeatDeadline() const {
  return std::chrono::system_clock::now() + timeout_ / kBeatsPerTimeout;
}

// May be sent again: when the answer to the first is lost, the second finds no session, and that is
// what was wanted.
absl::Status HeldSession::Close() {
  CHECK(id_ != 0);
  bool again = false;
  return connection_.Call(
      CallKind::kRepeatableWrite, [&](const Server& server, grpc::ClientContext* context) {
        v1::CloseRequest request;
        v1::CloseResponse response;
        Sign(request.mutable_header(), context, 0);
        const grpc::Status status = server.session->Close(context, request, &response);
        const bool gone = !status.ok() && ErrorOf(status).reason == "SESSION_EXPIRED";
        return std::exchange(again, true) && gone ? grpc::Status::OK : status;
      });
}

void HeldSession::Sign(v1::RequestHeader* header, grpc::ClientContext* context,
                       int64_t request_id) const {
  CHECK(id_ != 0);
  connection_.Prepare(header);
  header->set_session_id(id_);
  header->set_request_id(request_id);
  context->AddMetadata("pando-session-token-bin", token_);
}

}  // namespace pando::cli
