#include "machine/execution.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/reply.h"
#include "model/limits.h"
#include "model/mutant.h"
#include "model/zookeeper.h"

namespace pando::machine {
namespace {

using model::Error;
using model::Reason;
using model::Reply;

constexpr size_t kTokenHashBytes = 32;

bool IsTimeout(int64_t ms) {
  return ms >= model::kSessionTimeoutMsMin && ms <= model::kSessionTimeoutMsMax;
}

}  // namespace

Reply Execution::Run() {
  if (Error error = CheckSession(); !error.ok()) return Reply::Failure(std::move(error));
  return command_.session && command_.request && !StandsIn() ? RunOnce() : RunBody();
}

// For a request that was refused, or whose caller gave up: a repeat of that may still be applied,
// so this answer is not kept for it.
bool Execution::StandsIn() const {
  return std::holds_alternative<model::Nothing>(command_.body) ||
         std::holds_alternative<model::Refuse>(command_.body);
}

Error Execution::CheckSession() const {
  if (!command_.session) return {};
  const session::Session* session = state_->FindSession(command_.session);
  if (session == nullptr) {
    return {.reason = Reason::kSessionExpired, .detail = "the session is closed or has expired"};
  }
  if (command_.attachment && command_.attachment != session->record.attachment &&
      !Is(model::Mutant::kMovedSessionWrites)) {
    return {.reason = Reason::kSessionMoved,
            .detail = "the session has moved to a newer connection"};
  }
  return {};
}

// A request with an id takes effect once: its reply is kept until the client says that it has it.
Reply Execution::RunOnce() {
  const model::SessionId id = command_.session;
  const session::Session& session = state_->sessions().at(id);
  if (command_.first_outstanding > session.record.first_outstanding) {
    codec::SessionRecord record = session.record;
    record.first_outstanding = command_.first_outstanding;
    state_->PutSession(id, record);
    while (!session.kept.empty() && session.kept.begin()->first < record.first_outstanding) {
      state_->EraseKeptReply(id, session.kept.begin()->first);
    }
  }
  if (command_.request < session.record.first_outstanding) {
    return Reply::Failure({.reason = Reason::kInvalidArgument,
                           .detail = absl::StrCat("request ", command_.request.value(),
                                                  " is below first_outstanding_request_id ",
                                                  session.record.first_outstanding.value())});
  }
  const auto found = session.kept.find(command_.request);
  if (found != session.kept.end() && !Is(model::Mutant::kRetryAppliedTwice)) {
    if (found->second.request_hash != command_.request_hash) {
      return Reply::Failure({.reason = Reason::kInvalidArgument,
                             .detail = absl::StrCat("request id ", command_.request.value(),
                                                    " was used for another request")});
    }
    Reply reply;
    CHECK(codec::DecodeReply(found->second.reply, &reply));
    return reply;
  }
  if (session.kept.size() >= model::kKeptRepliesMax ||
      session.kept_bytes >= model::kKeptReplyBytesMax) {
    return Reply::Failure({.reason = Reason::kOverloaded,
                           .detail = "too many unacknowledged requests: raise "
                                     "first_outstanding_request_id"});
  }
  Reply reply = RunBody();
  reply.revision = revision_;
  // A session that this very request closed keeps nothing.
  if (state_->FindSession(id) != nullptr) {
    state_->PutKeptReply(id, command_.request, {command_.request_hash, codec::EncodeReply(reply)});
  }
  return reply;
}

Reply Execution::RunBody() {
  return std::visit([this](const auto& body) { return Do(body); }, command_.body);
}

Reply Execution::Alone(model::OperationResult result) const {
  Reply reply;
  reply.error = std::exchange(result.error, {});
  if (reply.ok()) reply.result = std::move(result);
  return reply;
}

// --- The ensemble's own -----------------------------------------------------------------------

Reply Execution::Do(const model::Nothing&) { return {}; }

Reply Execution::Do(const model::Refuse& refuse) {
  return Reply::Failure(
      {.reason = refuse.reason, .detail = "the leader cannot take it now: try again later"});
}

// The first one founds the ensemble; a second leader may have proposed one too. An ensemble that
// begins with a backup has its root already.
Reply Execution::Do(const model::Found& found) {
  if (state_->cluster() || !found.cluster) return {};
  state_->PutCluster(found.cluster);
  if (state_->tree().Find("/") != nullptr) return {};
  codec::NodeRecord root;
  root.create_revision = root.modify_revision = revision_;
  root.ctime = root.mtime = state_->stamp();
  root.data = std::string_view();
  state_->PutNode("/", root);
  return {};
}

Reply Execution::Do(const model::SetMachineVersion& set) {
  if (set.version > state_->version()) state_->PutVersion(set.version);
  return {};
}

// ZooKeeper's clients learn of it as of any change of a node's data.
void Execution::Adopt(const model::Membership& membership) {
  state_->PutMembership(membership);
  const tree::Node* config = state_->tree().Find(model::kConfigPath);
  if (config == nullptr) return;
  codec::NodeRecord record = config->record();
  record.modify_revision = revision_;
  record.mtime = state_->stamp();
  ++record.version;
  state_->PutNode(model::kConfigPath, record);
  Tell(model::ChangeKind::kDataChanged, model::kConfigPath,
       *state_->tree().Find(model::kConfigPath));
}

Reply Execution::Do(const model::Reap& reap) {
  const int64_t now = state_->stamp().ms;
  for (const model::Reap::Node& due : reap.nodes) {
    if (!CheckPath(due.path).ok()) continue;
    const tree::Node* node = state_->tree().Find(due.path);
    if (node == nullptr) continue;
    const codec::NodeRecord record = node->record();
    const tree::Directory* directory = node->directory();
    if (directory != nullptr && !directory->children().empty()) continue;
    if (record.create_revision != due.create_revision || record.mtime != due.mtime) continue;
    const bool used_container = record.kind == model::NodeKind::kContainer &&
                                directory != nullptr && directory->record().creates > 0;
    const bool outlived =
        record.kind == model::NodeKind::kTtl && now - record.mtime.ms > record.ttl_ms;
    if (used_container || outlived) DeleteNode(due.path);
  }
  return {};
}

// --- Sessions ---------------------------------------------------------------------------------

Reply Execution::Do(const model::OpenSession& open) {
  if (!IsTimeout(open.timeout_ms) || open.token_hash.size() != kTokenHashBytes) {
    return Reply::Failure({.reason = Reason::kInvalidArgument,
                           .detail = "a session needs a timeout within the limits and a token"});
  }
  if (state_->sessions().size() >= model::kSessionsMax) {
    return Reply::Failure(
        {.reason = Reason::kOverloaded,
         .detail = absl::StrCat("there are ", model::kSessionsMax, " sessions already")});
  }
  const model::SessionId id(revision_.value());
  // Its first connection is the one that opened it, until another attaches.
  const model::Attachment attachment(revision_.value());
  state_->PutSession(
      id, {.timeout_ms = open.timeout_ms, .token_hash = open.token_hash, .attachment = attachment});
  Reply reply;
  reply.result =
      model::SessionResult{.session = id, .attachment = attachment, .timeout_ms = open.timeout_ms};
  return reply;
}

Reply Execution::Do(const model::AttachSession& attach) { return Attach(attach.session, {}); }

Reply Execution::Do(const model::ReattachSession& reattach) {
  if (!IsTimeout(reattach.timeout_ms)) {
    return Reply::Failure(
        {.reason = Reason::kInvalidArgument, .detail = "the timeout is not within the limits"});
  }
  return Attach(reattach.session, reattach.timeout_ms);
}

Reply Execution::Attach(model::SessionId id, std::optional<int64_t> timeout_ms) {
  const session::Session* session = state_->FindSession(id);
  if (session == nullptr) {
    return Reply::Failure(
        {.reason = Reason::kSessionExpired, .detail = "the session is closed or has expired"});
  }
  codec::SessionRecord record = session->record;
  record.attachment = model::Attachment(revision_.value());
  if (timeout_ms) record.timeout_ms = *timeout_ms;
  state_->PutSession(id, record);
  Reply reply;
  reply.result = model::SessionResult{
      .session = id, .attachment = record.attachment, .timeout_ms = record.timeout_ms};
  return reply;
}

Reply Execution::Do(const model::CloseSession& close) {
  if (state_->FindSession(close.session) == nullptr) {
    return Reply::Failure(
        {.reason = Reason::kSessionExpired, .detail = "the session is closed or has expired"});
  }
  EndSession(close.session);
  Reply reply;
  reply.result = model::SessionResult{.session = close.session};
  return reply;
}

Reply Execution::Do(const model::ExpireSessions& expire) {
  for (const model::SessionId session : expire.sessions) {
    if (state_->FindSession(session) != nullptr) EndSession(session);
  }
  return {};
}

// Its ephemerals go with it, all at one revision.
void Execution::EndSession(model::SessionId id) {
  const session::Session& session = state_->sessions().at(id);
  while (!session.ephemerals.empty()) DeleteNode(std::string(*session.ephemerals.begin()));
  state_->EraseSession(id);
}

}  // namespace pando::machine
