#include "zookeeper/connection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acl/digest.h"
#include "acl/names.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/check.h"
#include "jute/decode.h"
#include "jute/encode.h"
#include "jute/frame.h"
#include "model/limits.h"
#include "model/zookeeper.h"
#include "zookeeper/answer.h"
#include "zookeeper/errors.h"
#include "zookeeper/keeper.h"
#include "zookeeper/opcode.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using jute::Opcode;

constexpr int32_t kPersistentMode = 0;
constexpr int32_t kRecursiveMode = 1;

bool IsChildrenRead(Opcode type) {
  return type == Opcode::kGetChildren || type == Opcode::kGetChildren2 ||
         type == Opcode::kFilteredList;
}

model::OperationResult OwnNode(std::string data) {
  model::OperationResult result;
  result.stat.data_length = static_cast<int64_t>(data.size());
  result.data = std::move(data);
  return result;
}

}  // namespace

Connection::Connection(WatcherId id, Options options, Host* host)
    : id_(id),
      options_(std::move(options)),
      host_(host),
      began_(host->now()),
      identities_(options_.identities) {
  batch_.lane = model::LaneId(id.value());
}

void Connection::AddIdentity(model::Identity identity) {
  CHECK(greeting());
  identities_.push_back(std::move(identity));
}

void Connection::TakeWord() {
  CHECK(greeting());
  phase_ = Phase::kWord;
  CountReceived();
}

void Connection::AnswerWord(std::string answer) {
  if (phase_ != Phase::kWord) return;
  output_ = std::move(answer);
  Leave({});
}

void Connection::End(std::string why) {
  cut_ = true;
  output_.clear();
  Leave(std::move(why));
}

void Connection::Leave(std::string why) {
  if (ended()) return;
  phase_ = Phase::kEnded;
  why_ = std::move(why);
  expected_.clear();
  batch_.requests.clear();
}

// --- For operators ----------------------------------------------------------------------------

void Connection::CountReceived() {
  ++traffic_.received;
  ++host_->traffic()->received;
}

void Connection::CountSent() {
  ++traffic_.sent;
  ++host_->traffic()->sent;
}

// A number below 0 is no request's own: a ping's, for one.
void Connection::CountAnswered(Opcode type, int32_t xid) {
  last_.type = type;
  if (xid >= 0) last_.xid = xid;
  last_.zxid = static_cast<int64_t>(zxid_.value());
  last_.at = host_->now();
}

ConnectionRow Connection::Row() const {
  ConnectionRow row;
  row.id = id_;
  row.session = session_;
  row.timeout_ms = timeout_ms_;
  row.outstanding = outstanding();
  row.traffic = traffic_;
  if (last_.type) row.last_operation = LettersOf(*last_.type);
  row.last_xid = last_.xid;
  row.last_zxid = last_.zxid;
  row.last_response = last_.at;
  return row;
}

void Connection::ResetStats() {
  traffic_ = {};
  last_ = {};
}

// --- From the client --------------------------------------------------------------------------

bool Connection::wants_input() const {
  return (phase_ == Phase::kGreeting || phase_ == Phase::kOpen) && !waits_for_room_ &&
         expected_.size() < outstanding_max() && output_.size() < kUnreadBytesMax;
}

// As many as may be answered with what answers have been like of late.
size_t Connection::outstanding_max() const {
  return std::clamp(kAnswerBytesMax / answer_bytes_, kOutstandingMin, kOutstandingMax);
}

size_t Connection::Consume(std::string_view bytes) {
  size_t taken = 0;
  while (wants_input()) {
    const std::string_view rest = bytes.substr(taken);
    const std::optional<uint32_t> length = jute::LengthOfFrame(rest);
    if (!length) break;
    if (*length > options_.frame_bytes_max) {
      End(absl::StrCat("a frame of ", *length, " bytes, and the limit is ",
                       options_.frame_bytes_max));
      break;
    }
    if (rest.size() < jute::kLengthBytes + *length) break;
    taken += jute::kLengthBytes + *length;
    CountReceived();
    const std::string_view payload = rest.substr(jute::kLengthBytes, *length);
    if (phase_ == Phase::kGreeting) {
      Greet(payload);
    } else {
      batch_.bytes += payload.size();
      OnFrame(payload);
    }
  }
  Flush();
  return taken;
}

void Connection::OnFrame(std::string_view payload) {
  jute::RequestHeader header;
  jute::Request request;
  jute::Decoded decoded = jute::DecodeRequest(payload, &header, &request);
  if (decoded == jute::Decoded::kNoHeader) return End("a frame without a header");
  if (decoded == jute::Decoded::kOk && AnswerAtOnce(header, request)) return;
  if (!options_.keeper && IsOfKeeper(request)) {
    const bool part = header.type == Opcode::kMulti;
    decoded = part ? jute::Decoded::kMalformed : jute::Decoded::kUnknownOpcode;
  }

  Waiting waiting;
  waiting.began = host_->now();
  std::vector<Question> questions;
  if (decoded != jute::Decoded::kOk) {
    waiting.expected.type = header.type;
    const bool unknown = decoded == jute::Decoded::kUnknownOpcode;
    waiting.expected.refused = unknown ? ErrorCode::kUnimplemented : ErrorCode::kMarshallingError;
    waiting.expected.ends_connection = unknown;
  } else if (read_only_ && (header.type == Opcode::kCloseSession || NeedsMajority(header.type))) {
    RefuseReadOnly(header.type, &waiting.expected);
  } else if (auto own = options_.keeper ? KeeperNode(request) : std::nullopt) {
    waiting.expected.type = header.type;
    waiting.expected.own_node = std::move(own);
    waiting.expected.answers = 1;
    questions.push_back({model::QueryBody(model::Touch{})});  // its place among the others
  } else if (auto* reconfig = std::get_if<jute::Reconfig>(&request)) {
    Reconfigure(std::move(*reconfig), &waiting.expected);
  } else {
    waiting.expected = Translate(std::move(request), session_, &questions);
  }
  waiting.expected.xid = header.xid;
  if (waiting.expected.ends_connection) phase_ = Phase::kLeaving;
  for (Question& question : questions) Ask(std::move(question));
  expected_.push_back(std::move(waiting));
  Advance();
}

// What ZooKeeper answers out of turn, as it comes.
bool Connection::AnswerAtOnce(const jute::RequestHeader& header, const jute::Request& request) {
  if (const auto* auth = std::get_if<jute::Auth>(&request)) {
    Authenticate(*auth);
    return true;
  }
  if (!std::holds_alternative<jute::Sasl>(request)) return false;
  jute::AppendReply({header.xid, 0, ErrorCode::kAuthFailed}, &output_);
  Deny(Opcode::kSasl, {}, model::Reason::kUnauthenticated);
  Leave("SASL is not spoken here: use addauth digest, or a client certificate");
  return true;
}

// Whoever shows a credential that is not understood does not want to act without it.
void Connection::Authenticate(const jute::Auth& auth) {
  const bool full = identities_.size() >= model::kIdentitiesMax;
  // ZooKeeper's provider of the scheme ip has nothing to ask: the address is known.
  const bool known = auth.scheme == acl::kIpScheme;
  const bool digest =
      auth.scheme == acl::kDigestScheme && auth.credential.size() <= model::kIdentityBytesMax;
  if (full || (!known && !digest)) {
    jute::AppendReply({jute::kAuthXid, 0, ErrorCode::kAuthFailed}, &output_);
    Deny(Opcode::kAuth, {}, model::Reason::kUnauthenticated);
    return Leave(absl::StrCat("authentication failed, scheme ", auth.scheme.substr(0, 32)));
  }
  if (digest) {
    model::Identity identity = {acl::kDigestScheme, acl::DigestOf(auth.credential)};
    const bool super = !options_.super_digest.empty() && identity.id == options_.super_digest;
    const auto add = [this](model::Identity one) {
      if (std::find(identities_.begin(), identities_.end(), one) == identities_.end()) {
        identities_.push_back(std::move(one));
      }
    };
    add(std::move(identity));
    if (super) add(acl::kSuper);
  }
  jute::AppendReply({jute::kAuthXid, 0, ErrorCode::kOk}, &output_);
  CountSent();
}

void Connection::Deny(Opcode type, std::string_view path, model::Reason reason) {
  const std::string caller = acl::NamesOf(identities_);
  host_->Denied({NameOf(type), caller, path, model::ReasonName(reason)});
}

// --- Changes of the membership ----------------------------------------------------------------

// It is a dialogue, so that nothing that comes after it may be asked before its end.
void Connection::Reconfigure(jute::Reconfig request, Expected* expected) {
  expected->type = Opcode::kReconfig;
  expected->path = model::kConfigPath;
  if (!options_.reconfig) {
    expected->refused = ErrorCode::kReconfigDisabled;
    return;
  }
  expected->answers = 1;
  reconfiguration_ =
      std::make_unique<Reconfiguration>(std::move(request), identities_, options_.server);
  phase_ = Phase::kReconfiguring;
  AskForReconfiguration();
}

void Connection::AskForReconfiguration() {
  io::Request request;
  request.token_hash = token_hash_;
  request.consistency = io::Consistency::kLinearizable;
  request.body = *reconfiguration_->Next();
  // The session lives as long as its client waits for this.
  if (auto* query = std::get_if<model::Query>(&request.body)) query->session = session_;
  AskAlone(std::move(request));
}

// --- To the core and back ---------------------------------------------------------------------

void Connection::Ask(Question question) {
  io::Request& request = batch_.requests.emplace_back();
  request.tag = id_.value();
  request.token_hash = token_hash_;
  if (auto* query = std::get_if<model::QueryBody>(&question.body)) {
    if (question.linearizable) request.consistency = io::Consistency::kLinearizable;
    const model::SessionId session = read_only_ ? model::SessionId() : session_;
    request.body = model::Query{identities_, session, std::move(*query)};
    return;
  }
  model::Command command;
  command.identities = identities_;
  command.session = session_;
  command.attachment = attachment_;
  command.body = std::move(std::get<model::CommandBody>(question.body));
  request.body = std::move(command);
}

void Connection::Flush() {
  if (batch_.requests.empty() || waits_for_room_ || ended()) return;
  const model::LaneId lane = batch_.lane;
  waits_for_room_ = !host_->Post(this, std::move(batch_));
  if (waits_for_room_) return;
  batch_ = {};
  batch_.lane = lane;
}

void Connection::RoomAgain() {
  waits_for_room_ = false;
  Flush();
}

void Connection::Answer(io::Completion completion) {
  if (ended()) return;
  if (phase_ < Phase::kOpen) return OnGreeting(completion.reply);
  const model::Reason reason = completion.reply.error.reason;
  if (EndsConnection(reason)) return End(absl::StrCat("session: ", model::ReasonName(reason)));
  CHECK(!expected_.empty());
  Waiting& waiting = expected_.front();
  CHECK(waiting.expected.answers > 0);
  if (waiting.expected.type == Opcode::kReconfig) {
    reconfiguration_->Take(completion.reply);
    if (reconfiguration_->Next()) {
      AskForReconfiguration();
      return Flush();
    }
    waiting.expected.refused = reconfiguration_->error();
    reconfiguration_ = nullptr;
    phase_ = Phase::kOpen;
  }
  --waiting.expected.answers;
  if (waiting.expected.type == Opcode::kMultiRead) {
    waiting.expected.parts->replies.push_back(std::move(completion.reply));
    return Advance();
  }
  CHECK(waiting.expected.answers == 0);
  const Waiting answered = std::move(waiting);
  if (answered.expected.own_node && completion.reply.ok()) {
    completion.reply.result = OwnNode(*answered.expected.own_node);
  }
  expected_.pop_front();
  Finish(answered, &completion.reply);
  Advance();
}

void Connection::Advance() {
  while (!ended() && !expected_.empty() && expected_.front().expected.answers == 0) {
    const Waiting answered = std::move(expected_.front());
    expected_.pop_front();
    Finish(answered, nullptr);
  }
}

int64_t Connection::Zxid(model::Revision revision) {
  zxid_ = std::max(zxid_, revision);
  return static_cast<int64_t>(zxid_.value());
}

void Connection::Finish(const Waiting& waiting, const model::Reply* reply) {
  const Expected& expected = waiting.expected;
  model::Reason reason = model::Reason::kOk;
  const size_t before = output_.size();
  if (reply != nullptr) {
    if (expected.type == Opcode::kSetWatches) RestoreWatches(expected, *reply);
    AppendAnswer(expected, *reply, Zxid(reply->revision), &output_);
    reason = reply->error.reason;
    if (expected.refused != ErrorCode::kOk) {
      const bool denied = expected.refused == ErrorCode::kNoAuth;
      reason = denied ? model::Reason::kPermissionDenied : model::Reason::kInvalidArgument;
    }
    if (reason == model::Reason::kPermissionDenied) {
      Deny(expected.type, reply->error.path.empty() ? expected.path : reply->error.path, reason);
    }
  } else if (expected.refused != ErrorCode::kOk) {
    jute::AppendReply({expected.xid, Zxid(host_->told()), expected.refused}, &output_);
    reason = model::Reason::kInvalidArgument;
  } else {
    FinishHere(expected);
  }
  const size_t bytes = output_.size() - before;
  if (IsTooLarge(expected.type, bytes)) {
    output_.resize(before);
    jute::AppendReply({expected.xid, Zxid(zxid_), ErrorCode::kMarshallingError}, &output_);
    reason = model::Reason::kTooLarge;
  } else if (expected.watch) {
    LeaveWatch(expected, *reply);
  }
  answer_bytes_ = std::max({bytes, answer_bytes_ - answer_bytes_ / 8, size_t{1}});
  CountSent();
  CountAnswered(expected.type, expected.xid);
  const base::Duration taken = last_.at - waiting.began;
  traffic_.latency.Add(taken);
  host_->traffic()->latency.Add(taken);
  host_->Answered(expected.type, taken, reason);
  if (expected.ends_connection) Leave({});
}

// A client that gets more than it takes hangs up, comes back and asks again. But only of a read can
// it be told that nothing was done.
bool Connection::IsTooLarge(Opcode type, size_t bytes) const {
  return OnlyReads(type) && bytes > jute::kLengthBytes + options_.reply_bytes_max;
}

// --- Watches ----------------------------------------------------------------------------------

// What needs nothing of the core: of the connection itself.
void Connection::FinishHere(const Expected& expected) {
  Expected answer;
  answer.xid = expected.xid;
  answer.type = expected.type;
  WatchTable* watches = host_->watches();
  switch (expected.type) {
    case Opcode::kWhoAmI:
      return AppendWhoAmI(expected, identities_, Zxid(host_->told()), &output_);
    case Opcode::kMultiRead:  // of which all answers have come
      for (const model::Reply& reply : expected.parts->replies) {
        if (reply.error.reason != model::Reason::kPermissionDenied) continue;
        Deny(expected.type, reply.error.path, reply.error.reason);
      }
      return AppendAnswer(expected, {}, Zxid(host_->told()), &output_);
    case Opcode::kCloseSession:  // of this connection alone
      break;
    case Opcode::kCheckWatches:
      if (!watches->Has(expected.path, expected.number, id_))
        answer.refused = ErrorCode::kNoWatcher;
      break;
    case Opcode::kRemoveWatches:
      if (!watches->Remove(expected.path, expected.number, id_)) {
        answer.refused = ErrorCode::kNoWatcher;
      }
      break;
    case Opcode::kAddWatch:
      if (expected.number == kPersistentMode) {
        watches->Add(WatchTable::Kind::kPersistent, expected.path, id_);
      } else if (expected.number == kRecursiveMode) {
        watches->Add(WatchTable::Kind::kRecursive, expected.path, id_);
      } else {
        answer.refused = ErrorCode::kMarshallingError;
      }
      break;
    default:
      base::Fatal("a request without questions that nobody answers");
  }
  AppendAnswer(answer, {}, Zxid(host_->told()), &output_);
}

// `exists` leaves its watch on a node that is not there, too.
void Connection::LeaveWatch(const Expected& expected, const model::Reply& reply) {
  const bool absent =
      expected.type == Opcode::kExists && reply.error.reason == model::Reason::kNoNode;
  if (!reply.ok() && !absent) return;
  const auto kind =
      IsChildrenRead(expected.type) ? WatchTable::Kind::kChildren : WatchTable::Kind::kData;
  host_->watches()->Add(kind, expected.path, id_);
}

// After a reconnect: whatever happened to a node since the client looked is told now, by what can
// be seen of it; what did not is watched again.
void Connection::RestoreWatches(const Expected& expected, const model::Reply& reply) {
  if (!reply.ok()) return;
  const jute::SetWatches& asked = expected.parts->watches;
  const auto& stats = std::get<model::StatsResult>(reply.result).stats;
  const auto seen =
      model::Revision(static_cast<uint64_t>(std::max<int64_t>(asked.relative_zxid, 0)));
  auto stat = stats.begin();
  const auto tell = [this](jute::EventType type, const std::string& path) {
    jute::AppendEvent(type, path, -1, &output_);
    CountSent();
  };
  for (const std::string& path : asked.data) {
    const std::optional<model::Stat>& now = *stat++;
    if (!now) {
      tell(jute::EventType::kNodeDeleted, path);
    } else if (now->modify_revision > seen) {
      tell(jute::EventType::kNodeDataChanged, path);
    } else {
      host_->watches()->Add(WatchTable::Kind::kData, path, id_);
    }
  }
  for (const std::string& path : asked.exist) {
    const std::optional<model::Stat>& now = *stat++;
    if (now) {
      tell(jute::EventType::kNodeCreated, path);
    } else {
      host_->watches()->Add(WatchTable::Kind::kData, path, id_);
    }
  }
  for (const std::string& path : asked.child) {
    const std::optional<model::Stat>& now = *stat++;
    if (!now) {
      tell(jute::EventType::kNodeDeleted, path);
    } else if (now->children_revision > seen) {
      tell(jute::EventType::kNodeChildrenChanged, path);
    } else {
      host_->watches()->Add(WatchTable::Kind::kChildren, path, id_);
    }
  }
  for (const std::string& path : asked.persistent) {
    host_->watches()->Add(WatchTable::Kind::kPersistent, path, id_);
  }
  for (const std::string& path : asked.persistent_recursive) {
    host_->watches()->Add(WatchTable::Kind::kRecursive, path, id_);
  }
}

void Connection::Tell(const model::Acl* acl, model::Revision revision, std::string_view frame) {
  if (ended()) return;
  if (acl != nullptr && !acl::Allows(*acl, model::kRead, identities_)) return;
  if (output_.size() > kUnreadEventBytesMax) return End("the client does not read its events");
  (void)Zxid(revision);
  output_.append(frame);
  CountSent();
}

}  // namespace pando::zookeeper
