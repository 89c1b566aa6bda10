#include "bench/zookeeper_wire.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "jute/decode_reply.h"
#include "jute/encode_request.h"
#include "jute/frame.h"
#include "model/acl.h"

namespace pando::load {
namespace {

constexpr int32_t kSessionTimeoutMs = 30'000;
constexpr size_t kFrameBytesMax = 64 << 20;
constexpr int32_t kAnyVersion = -1;
constexpr int32_t kEphemeral = 1;
constexpr int32_t kEphemeralSequential = 3;

jute::Create MakeCreate(std::string path, std::string_view data, int32_t flags) {
  return {jute::Opcode::kCreate, std::move(path), std::string(data), model::OpenAcl(), flags, 0};
}

absl::Status Nonsense() {
  return absl::UnavailableError("the server does not speak ZooKeeper's protocol");
}

std::string Text(jute::ErrorCode error) {
  return absl::StrCat("ZooKeeper's error ", static_cast<int32_t>(error));
}

std::string_view LastOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void ZooKeeperWire::Open() {
  out_.clear();
  in_.clear();
  greeted_ = false;
  state_ = State::kOpen;
  last_xid_ = 0;
  jute::ConnectRequest request;
  request.timeout_ms = kSessionTimeoutMs;
  request.password = std::string(jute::kPasswordBytes, '\0');
  request.read_only = false;
  jute::AppendConnectRequest(request, &out_);
}

void ZooKeeperWire::Write(std::string* out) {
  out->append(out_);
  out_.clear();
}

void ZooKeeperWire::Beat() {
  if (greeted_ && state_ == State::kOpen) {
    jute::AppendRequest(jute::kPingXid, jute::Ping{}, &out_);
  }
}

void ZooKeeperWire::Request(const jute::Request& request, Step step, Tag tag) {
  jute::AppendRequest(++last_xid_, request, &out_);
  asked_.push_back({last_xid_, step, tag});
}

void ZooKeeperWire::Ask(const Operation& operation, Tag tag) {
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      return Request(MakeCreate(operation.path(), operation.data, 0), Step::kOperation, tag);
    case Operation::Kind::kSet:
      return Request(jute::SetData{operation.path(), std::string(operation.data), kAnyVersion},
                     Step::kOperation, tag);
    case Operation::Kind::kGet:
      return Request(jute::Read{jute::Opcode::kGetData, operation.path(), false}, Step::kOperation,
                     tag);
    case Operation::Kind::kList:
      return Request(jute::Read{jute::Opcode::kGetChildren, operation.path(), false},
                     Step::kOperation, tag);
    case Operation::Kind::kMulti: {
      jute::Multi multi;
      for (const std::string& path : operation.paths) {
        multi.parts.emplace_back(jute::SetData{path, std::string(operation.data), kAnyVersion});
      }
      return Request(multi, Step::kMulti, tag);
    }
    case Operation::Kind::kSession:
      long_ = {tag, operation.path()};
      // The first of a connection uses the session that is there.
      if (state_ == State::kOpen) return MakeEphemeral();
      state_ = State::kWantsAnother;
      return;
    case Operation::Kind::kLock:
      long_ = {tag, operation.path()};
      return Request(MakeCreate(operation.path() + "/place-", "", kEphemeralSequential),
                     Step::kPlace, tag);
    case Operation::Kind::kUnlock:
      return Request(jute::Delete{place_, kAnyVersion}, Step::kOperation, tag);
    case Operation::Kind::kSync:
      return Request(jute::Sync{operation.path()}, Step::kOperation, tag);
    case Operation::Kind::kWatch:
      watch_ = tag;
      return Request(jute::AddWatch{operation.path(), 0}, Step::kOperation, tag);
    case Operation::Kind::kLeave:
      if (state_ != State::kOpen) return listener().OnAnswer(tag, Outcome::kDone, "");
      return Request(jute::CloseSession{}, Step::kClose, tag);
  }
}

void ZooKeeperWire::MakeEphemeral() {
  Request(MakeCreate(long_.path, "", kEphemeral), Step::kEphemeral, long_.tag);
}

void ZooKeeperWire::ReadQueue() {
  Request(jute::Read{jute::Opcode::kGetChildren, long_.path, false}, Step::kQueue, long_.tag);
}

absl::Status ZooKeeperWire::Read(std::string_view bytes) {
  // Nearly always whole frames, which are then read where they lie.
  std::string joined;
  if (!in_.empty()) {
    joined = std::move(in_);
    in_.clear();
    joined.append(bytes);
    bytes = joined;
  }
  while (const std::optional<uint32_t> length = jute::LengthOfFrame(bytes)) {
    if (*length > kFrameBytesMax) return Nonsense();
    if (bytes.size() < jute::kLengthBytes + *length) break;
    PANDO_RETURN_IF_ERROR(OnFrame(bytes.substr(jute::kLengthBytes, *length)));
    bytes.remove_prefix(jute::kLengthBytes + *length);
  }
  in_ = std::string(bytes);
  return absl::OkStatus();
}

absl::Status ZooKeeperWire::OnFrame(std::string_view payload) {
  return greeted_ ? OnReply(payload) : OnGreeting(payload);
}

absl::Status ZooKeeperWire::OnGreeting(std::string_view payload) {
  jute::ConnectResponse greeting;
  if (!jute::DecodeConnectResponse(payload, &greeting)) return Nonsense();
  if (greeting.timeout_ms == 0) return absl::UnavailableError("the server refused a session");
  greeted_ = true;
  if (was_ready_) {
    MakeEphemeral();  // what another connection was wanted for
  } else {
    was_ready_ = true;
    listener().OnReady();
  }
  return absl::OkStatus();
}

absl::Status ZooKeeperWire::OnReply(std::string_view payload) {
  jute::ReplyHeader header;
  std::string_view record;
  if (!jute::DecodeReplyHeader(payload, &header, &record)) return Nonsense();
  if (header.xid == jute::kPingXid) return absl::OkStatus();
  if (header.xid == jute::kNotificationXid) {
    OnEvent();
    return absl::OkStatus();
  }
  if (asked_.empty() || asked_.front().xid != header.xid) return Nonsense();
  const Asked asked = asked_.front();
  asked_.pop_front();
  if (header.error == jute::ErrorCode::kOk) {
    Continue(asked, record);
  } else if (asked.step == Step::kAhead && header.error == jute::ErrorCode::kNoNode) {
    ReadQueue();  // whoever was ahead has left meanwhile
  } else {
    const bool exists = header.error == jute::ErrorCode::kNodeExists;
    listener().OnAnswer(asked.tag, exists ? Outcome::kExists : Outcome::kFailed,
                        Text(header.error));
  }
  return absl::OkStatus();
}

void ZooKeeperWire::OnEvent() {
  if (long_.waits_for_event) {
    long_.waits_for_event = false;
    ReadQueue();
  } else {
    listener().OnEvents(watch_, 1);
  }
}

void ZooKeeperWire::Continue(const Asked& asked, std::string_view record) {
  switch (asked.step) {
    case Step::kOperation:
      return listener().OnAnswer(asked.tag, Outcome::kDone, "");
    case Step::kMulti: {
      // The reply as a whole has no error even if its parts have.
      std::vector<jute::PartResult> results;
      if (!jute::DecodeResults(record, &results)) {
        return listener().OnAnswer(asked.tag, Outcome::kFailed, "a reply that makes no sense");
      }
      for (const jute::PartResult& result : results) {
        if (result.error != jute::ErrorCode::kOk) {
          return listener().OnAnswer(asked.tag, Outcome::kFailed, Text(result.error));
        }
      }
      return listener().OnAnswer(asked.tag, Outcome::kDone, "");
    }
    case Step::kEphemeral:
      return Request(jute::CloseSession{}, Step::kClose, asked.tag);
    case Step::kClose:
      state_ = State::kOver;
      return listener().OnAnswer(asked.tag, Outcome::kDone, "");
    case Step::kPlace: {
      jute::Record created;
      if (!jute::DecodeRecord(jute::Opcode::kCreate, record, &created)) {
        return listener().OnAnswer(asked.tag, Outcome::kFailed, "a reply that makes no sense");
      }
      place_ = std::get<jute::PathRecord>(created).path;
      return ReadQueue();
    }
    case Step::kQueue:
      return OnQueue(record);
    case Step::kAhead:
      long_.waits_for_event = true;
      return;
  }
}

void ZooKeeperWire::OnQueue(std::string_view record) {
  jute::Record read;
  if (!jute::DecodeRecord(jute::Opcode::kGetChildren, record, &read)) {
    return listener().OnAnswer(long_.tag, Outcome::kFailed, "a reply that makes no sense");
  }
  // Names differ in their sequence numbers alone, which are of one length.
  std::optional<std::string> ahead;
  for (std::string& name : std::get<jute::NamesRecord>(read).names) {
    if (name < LastOf(place_) && (!ahead || name > *ahead)) ahead = std::move(name);
  }
  if (!ahead) return listener().OnAnswer(long_.tag, Outcome::kDone, "");
  Request(jute::Read{jute::Opcode::kExists, absl::StrCat(long_.path, "/", *ahead), true},
          Step::kAhead, long_.tag);
}

}  // namespace pando::load
