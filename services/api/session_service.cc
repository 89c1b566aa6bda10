#include "api/session_service.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

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
grpc::ServerUnaryReactor* StartOnSession(Edge* edge, const grpc::CallbackServerContext& context,
                                         std::string_view method, const In& in, Out* out,
                                         Write write) {
  Caller caller;
  model::Error error = CallerOf(*edge, context, in.header(), &caller);
  if (error.ok() && !caller.header.session) error = InvalidArgument("the header names no session");
  if (!error.ok()) return UnaryCall::Fail(edge, method, error);
  const base::Instant deadline = DeadlineOf(*edge, context);
  return UnaryCall::Post(edge, method,
                         MakeCommand(*edge, caller, deadline, Body{caller.header.session}),
                         in.ByteSizeLong(), [edge, out, write](const io::Completion& completion) {
                           edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                                             out->mutable_header());
                           write(ResultOf<model::SessionResult>(completion.reply), out);
                         });
}

}  // namespace

// The token is made here and told to nobody but the client: the log has its hash.
grpc::ServerUnaryReactor* SessionService::Open(grpc::CallbackServerContext* context,
                                               const v1::OpenRequest* request,
                                               v1::OpenResponse* response) {
  constexpr std::string_view kMethod = "SessionService/Open";
  Caller caller;
  model::Error error = CallerOf(*edge_, *context, request->header(), &caller);
  if (error.ok() && caller.header.session) error = InvalidArgument("Open names no session");
  if (error.ok() && request->timeout_ms() < 0) error = InvalidArgument("timeout_ms is negative");
  if (!error.ok()) return UnaryCall::Fail(edge_, kMethod, error);

  const std::string token = edge_->options().random_bytes(model::kTokenBytes);
  CHECK(token.size() == model::kTokenBytes);
  const int64_t wanted = request->timeout_ms() == 0 ? kTimeoutMsDefault : request->timeout_ms();
  model::OpenSession open;
  open.timeout_ms = std::clamp(wanted, model::kSessionTimeoutMsMin, model::kSessionTimeoutMsMax);
  open.token_hash = Sha256(token);
  return UnaryCall::Post(
      edge_, kMethod, MakeCommand(*edge_, caller, DeadlineOf(*edge_, *context), std::move(open)),
      request->ByteSizeLong(), [edge = edge_, response, token](const io::Completion& completion) {
        const model::SessionResult& result = ResultOf<model::SessionResult>(completion.reply);
        edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                          response->mutable_header());
        response->set_session_id(static_cast<int64_t>(result.session.value()));
        response->set_token(token);
        response->set_timeout_ms(result.timeout_ms);
      });
}

grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>* SessionService::KeepAlive(
    grpc::CallbackServerContext* context) {
  return KeepAliveCall::Start(edge_, context);
}

grpc::ServerUnaryReactor* SessionService::Attach(grpc::CallbackServerContext* context,
                                                 const v1::AttachRequest* request,
                                                 v1::AttachResponse* response) {
  return StartOnSession<model::AttachSession>(
      edge_, *context, "SessionService/Attach", *request, response,
      [](const model::SessionResult& result, v1::AttachResponse* out) {
        out->set_timeout_ms(result.timeout_ms);
      });
}

grpc::ServerUnaryReactor* SessionService::Close(grpc::CallbackServerContext* context,
                                                const v1::CloseRequest* request,
                                                v1::CloseResponse* response) {
  return StartOnSession<model::CloseSession>(
      edge_, *context, "SessionService/Close", *request, response,
      [](const model::SessionResult&, v1::CloseResponse*) {});
}

grpc::ServerUnaryReactor* SessionService::List(grpc::CallbackServerContext* context,
                                               const v1::SessionServiceListRequest* request,
                                               v1::SessionServiceListResponse* response) {
  constexpr std::string_view kMethod = "SessionService/List";
  Caller caller;
  uint64_t after = 0;
  model::Error error = CallerOf(*edge_, *context, request->header(), &caller);
  if (error.ok()) error = ParsePage(*request, &after);
  if (!error.ok()) return UnaryCall::Fail(edge_, kMethod, error);
  const size_t page_size =
      request->page_size() == 0
          ? model::kListPageDefault
          : std::min(static_cast<size_t>(request->page_size()), model::kListPageMax);
  return UnaryCall::Post(
      edge_, kMethod, MakeQuery(caller, DeadlineOf(*edge_, *context), model::ListSessions{}),
      request->ByteSizeLong(),
      [edge = edge_, response, after, page_size](const io::Completion& completion) {
        edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                          response->mutable_header());
        const auto* all = std::get_if<model::SessionsResult>(&completion.reply.result);
        if (all != nullptr) WritePage(*all, after, page_size, response);
      });
}

}  // namespace pando::api
