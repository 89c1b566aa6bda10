// How a connection gets its session: what it says first, and what it is answered.
#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acl/digest.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "jute/decode.h"
#include "jute/encode.h"
#include "model/limits.h"
#include "model/zookeeper.h"
#include "zookeeper/connection.h"
#include "zookeeper/errors.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using jute::Opcode;

// How long a greeting waits for a leader.
constexpr base::Duration kGreetingPatience = std::chrono::seconds(10);
// The ids of sessions that are one connection's alone. No revision is as high.
constexpr uint64_t kLocalSessions = uint64_t{1} << 62;
constexpr size_t kLocalSessionBytes = 7;

}  // namespace

void Connection::Greet(std::string_view payload) {
  if (!jute::DecodeConnectRequest(payload, &greeting_)) return End("the greeting cannot be read");
  timeout_ms_ = std::clamp<int64_t>(greeting_.timeout_ms, model::kSessionTimeoutMsMin,
                                    model::kSessionTimeoutMsMax);
  if (host_->read_only()) return GreetReadOnly();
  if (!host_->prepared()) return Prepare();
  AskForSession();
}

void Connection::Prepare() {
  phase_ = Phase::kPreparing;
  model::Transaction transaction;
  for (const char* path : {model::kZooKeeperPath, model::kQuotaPath, model::kConfigPath}) {
    model::Create create;
    create.path = path;
    create.data = "";
    create.if_not_exists = true;
    if (path == model::kConfigPath) create.acl = {{model::kRead, acl::kAnyone}};
    transaction.then_operations.emplace_back(std::move(create));
  }
  model::Command command;
  command.identities = {acl::kSuper};
  command.body = std::move(transaction);
  io::Request request;
  request.body = std::move(command);
  AskAlone(std::move(request));
}

// A session that is there already is judged by a server that knows of all that was committed: the
// client may have got it from another one a moment ago.
void Connection::AskForSession() {
  io::Request request;
  if (greeting_.session_id == 0) {
    password_ = host_->RandomBytes(jute::kPasswordBytes);
    model::Command command;
    command.body = model::OpenSession{timeout_ms_, acl::Sha256(password_)};
    request.body = std::move(command);
    phase_ = Phase::kAttaching;
  } else {
    password_ = greeting_.password;
    request.consistency = io::Consistency::kLinearizable;
    request.body = model::Query{.identities = {}, .session = {}, .body = model::Touch{}};
    phase_ = Phase::kAsking;
  }
  token_hash_ = acl::Sha256(password_);
  AskAlone(std::move(request));
}

void Connection::AskAlone(io::Request request) {
  request.tag = id_.value();
  request.deadline = host_->now() + kGreetingPatience;
  batch_.requests.push_back(std::move(request));
}

void Connection::OnGreeting(const model::Reply& reply) {
  const model::Reason reason = reply.error.reason;
  const bool refused = EndsConnection(reason) || reason == model::Reason::kBehind;
  if ((phase_ == Phase::kAttaching && refused) ||
      (phase_ == Phase::kLooking && EndsConnection(reason))) {
    if (reason == model::Reason::kUnauthenticated) Deny(Opcode::kCreateSession, {}, reason);
    return RefuseSession();
  }
  if (!reply.ok()) return End(absl::StrCat("no session: ", model::ReasonName(reason)));
  if (phase_ == Phase::kPreparing) {
    host_->Prepared();
    AskForSession();
  } else if (greeting_.last_zxid_seen > static_cast<int64_t>(reply.revision.value())) {
    // Before its session is judged: of that, too, this ensemble may know nothing.
    End(absl::StrCat("the client has seen zxid ", greeting_.last_zxid_seen,
                     ", which is of another ensemble"));
  } else if (phase_ == Phase::kAsking) {
    Attach();
  } else if (phase_ == Phase::kLooking) {
    OpenReadOnly();
  } else {
    Open(reply);
  }
  Flush();
}

void Connection::Attach() {
  phase_ = Phase::kAttaching;
  model::Command command;
  command.session = model::SessionId(static_cast<uint64_t>(greeting_.session_id));
  command.body = model::ReattachSession{command.session, timeout_ms_};
  io::Request request;
  request.token_hash = token_hash_;
  request.body = std::move(command);
  AskAlone(std::move(request));
}

void Connection::Open(const model::Reply& reply) {
  const auto& result = std::get<model::SessionResult>(reply.result);
  session_ = result.session;
  attachment_ = result.attachment;
  timeout_ms_ = result.timeout_ms;
  zxid_ = reply.revision;
  Welcome();
  host_->Attached(this);
}

void Connection::Welcome() {
  phase_ = Phase::kOpen;
  jute::ConnectResponse response;
  response.timeout_ms = static_cast<int32_t>(timeout_ms_);
  response.session_id = static_cast<int64_t>(session_.value());
  response.password = password_;
  if (greeting_.read_only) response.read_only = read_only_;
  jute::AppendConnectResponse(response, &output_);
  CountSent();
  CountAnswered(Opcode::kCreateSession, 0);
}

// --- Without a majority -----------------------------------------------------------------------

// A new session is this connection's alone, and nobody else will know of it: the next server says
// that it has expired, as ZooKeeper's do. One that is there already goes on, unless this server
// knows that it does not; what it has not heard of may have begun without it.
void Connection::GreetReadOnly() {
  if (!greeting_.read_only.value_or(false)) {
    return End("there is no majority, and the client does not want to read only");
  }
  if (greeting_.last_zxid_seen > static_cast<int64_t>(host_->told().value())) {
    return End("the client has seen more than this server, which cannot catch up now");
  }
  read_only_ = true;
  if (greeting_.session_id == 0) {
    password_ = host_->RandomBytes(jute::kPasswordBytes);
    uint64_t number = 0;
    for (const char byte : host_->RandomBytes(kLocalSessionBytes)) {
      number = number << 8 | static_cast<uint8_t>(byte);
    }
    session_ = model::SessionId(kLocalSessions | number);
    return Welcome();
  }
  const model::SessionId session(static_cast<uint64_t>(greeting_.session_id));
  if ((session.value() & kLocalSessions) != 0) return RefuseSession();
  password_ = greeting_.password;
  io::Request request;
  request.token_hash = acl::Sha256(password_);
  request.body = model::Query{.identities = {}, .session = session, .body = model::Touch{}};
  phase_ = Phase::kLooking;
  AskAlone(std::move(request));
}

void Connection::OpenReadOnly() {
  session_ = model::SessionId(static_cast<uint64_t>(greeting_.session_id));
  Welcome();
}

// A session of this connection alone ends with it; no other can be closed here.
void Connection::RefuseReadOnly(Opcode type, Expected* expected) const {
  expected->type = type;
  expected->ends_connection = type == Opcode::kCloseSession;
  const bool local = (session_.value() & kLocalSessions) != 0;
  if (type != Opcode::kCloseSession || !local) expected->refused = ErrorCode::kNotReadOnly;
}

void Connection::RefuseSession() {
  jute::ConnectResponse response;
  response.password = std::string(jute::kPasswordBytes, '\0');
  if (greeting_.read_only) response.read_only = read_only_;
  jute::AppendConnectResponse(response, &output_);
  Leave({});
}

}  // namespace pando::zookeeper
