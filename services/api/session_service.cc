#include "api/session_service.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "acl/digest.h"
#include "api/errors.h"
#include "api/identity.h"
#include "api/keep_alive.h"
#include "api/unary.h"
#include "base/check.h"
#include "codec/page_token.h"
#include "model/limits.h"

namespace pando::api {
namespace {

constexpr int64_t kTimeoutMsDefault = 10'000;

// What page tokens of the list of sessions are bound to; no codec::ListOf looks like it.
constexpr std::string_view kSessionsList = "sessions";

model::Error ParsePage(const v1::SessionServiceListRequest& in, uint64_t* after) {
  if (in.page_size() < 0) return InvalidArgument("page_size is negative");
  std::string place;
  const bool parsed = codec::ParsePageToken(in.page_token(), kSessionsList, &place);
  *after = 0;
  if (parsed && place.empty()) return {};
  const char* end = place.data() + place.size();
  const auto [stop, problem] = std::from_chars(place.data(), end, *after);
  if (!parsed || problem != std::errc() || stop != end) {
    return InvalidArgument("the page token is of another list");
  }
  return {};
}

void WritePage(const model::SessionsResult& all, uint64_t after, size_t page_size,
               v1::SessionServiceListResponse* out) {
  for (const model::SessionsResult::Session& session : all.sessions) {
    if (session.session.value() <= after) continue;
    if (static_cast<size_t>(out->sessions_size()) == page_size) {
      const int64_t last = out->sessions(out->sessions_size() - 1).session_id();
      out->set_next_page_token(codec::PageToken(kSessionsList, std::to_string(last)));
      return;
    }
    v1::Session* row = out->add_sessions();
    row->set_session_id(static_cast<int64_t>(session.session.value()));
    row->set_timeout_ms(session.timeout_ms);
    row->set_ephemerals_count(session.ephemerals);
    row->set_kept_replies_count(session.kept_replies);
    row->set_attach_revision(static_cast<int64_t>(session.attachment.value()));
  }
}

// A command on the session that the header names.
template <class Body, class In, class Out, class Write>
grpc::ServerUnaryReactor* StartOnSession(const Call& call, const In& in, Out* out, Write write) {
  Caller caller;
  model::Error error = call.Admit(in.header(), &caller);
  if (error.ok() && !caller.header.session) error = InvalidArgument("the header names no session");
  if (!error.ok()) return UnaryCall::Fail(call, error);
  return UnaryCall::Post(
      call, MakeCommand(*call.edge(), caller, call.Deadline(), Body{caller.header.session}),
      Responding(call.edge(), out, [write](const model::Reply& reply, Out* response) {
        write(ResultOf<model::SessionResult>(reply), response);
      }));
}

}  // namespace

// The token is made here and told to nobody but the client: the log has its hash.
grpc::ServerUnaryReactor* SessionService::Open(grpc::CallbackServerContext* context,
                                               const v1::OpenRequest* request,
                                               v1::OpenResponse* response) {
  const Call call(edge_, MethodOf("SessionService/Open"), *context, request);
  Caller caller;
  model::Error error = call.Admit(request->header(), &caller);
  if (error.ok() && caller.header.session) error = InvalidArgument("Open names no session");
  if (error.ok() && request->timeout_ms() < 0) error = InvalidArgument("timeout_ms is negative");
  if (!error.ok()) return UnaryCall::Fail(call, error);

  const std::string token = edge_->options().random_bytes(model::kTokenBytes);
  CHECK(token.size() == model::kTokenBytes);
  const int64_t wanted = request->timeout_ms() == 0 ? kTimeoutMsDefault : request->timeout_ms();
  model::OpenSession open;
  open.timeout_ms = std::clamp(wanted, model::kSessionTimeoutMsMin, model::kSessionTimeoutMsMax);
  open.token_hash = acl::Sha256(token);
  const auto write = [token](const model::Reply& reply, v1::OpenResponse* out) {
    const model::SessionResult& result = ResultOf<model::SessionResult>(reply);
    out->set_session_id(static_cast<int64_t>(result.session.value()));
    out->set_token(token);
    out->set_timeout_ms(result.timeout_ms);
  };
  return UnaryCall::Post(call, MakeCommand(*edge_, caller, call.Deadline(), std::move(open)),
                         Responding(edge_, response, write));
}

grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>* SessionService::KeepAlive(
    grpc::CallbackServerContext* context) {
  return KeepAliveCall::Start(edge_, context);
}

grpc::ServerUnaryReactor* SessionService::Attach(grpc::CallbackServerContext* context,
                                                 const v1::AttachRequest* request,
                                                 v1::AttachResponse* response) {
  return StartOnSession<model::AttachSession>(
      Call(edge_, MethodOf("SessionService/Attach"), *context, request), *request, response,
      [](const model::SessionResult& result, v1::AttachResponse* out) {
        out->set_timeout_ms(result.timeout_ms);
      });
}

grpc::ServerUnaryReactor* SessionService::Close(grpc::CallbackServerContext* context,
                                                const v1::CloseRequest* request,
                                                v1::CloseResponse* response) {
  return StartOnSession<model::CloseSession>(
      Call(edge_, MethodOf("SessionService/Close"), *context, request), *request, response,
      [](const model::SessionResult&, v1::CloseResponse*) {});
}

grpc::ServerUnaryReactor* SessionService::List(grpc::CallbackServerContext* context,
                                               const v1::SessionServiceListRequest* request,
                                               v1::SessionServiceListResponse* response) {
  const Call call(edge_, MethodOf("SessionService/List"), *context, request);
  Caller caller;
  uint64_t after = 0;
  model::Error error = call.Admit(request->header(), &caller);
  if (error.ok()) error = ParsePage(*request, &after);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  const size_t page_size =
      request->page_size() == 0
          ? model::kListPageDefault
          : std::min(static_cast<size_t>(request->page_size()), model::kListPageMax);
  const auto write = [after, page_size](const model::Reply& reply,
                                        v1::SessionServiceListResponse* out) {
    WritePage(ResultOf<model::SessionsResult>(reply), after, page_size, out);
  };
  return UnaryCall::Post(call, MakeQuery(caller, call.Deadline(), model::ListSessions{}),
                         Responding(edge_, response, write));
}

}  // namespace pando::api
