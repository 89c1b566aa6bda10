#include "cli/zookeeper/source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/overloaded.h"
#include "base/status.h"
#include "jute/decode_reply.h"

namespace pando::cli {
namespace {

constexpr int32_t kPersistentRecursive = 1;

void PutStat(const model::Stat& stat, Answer* answer) {
  answer->version = {static_cast<int64_t>(stat.create_revision.value()),
                     static_cast<int64_t>(stat.modify_revision.value()), stat.acl_version};
  answer->children_changed = static_cast<int64_t>(stat.children_revision.value());
  answer->children_count = stat.children_count;
  answer->ephemeral = stat.ephemeral_owner.value() != 0;
}

}  // namespace

ZooKeeperSource::ZooKeeperSource(ZooKeeperClient* client, Options options)
    : client_(*client), options_(std::move(options)), counted_(Clock::now()) {}

absl::StatusOr<bool> ZooKeeperSource::Exchange(Mirror* mirror) {
  bool any = false;
  for (const ZooKeeperClient::Happening& happening : client_.Take()) {
    PANDO_RETURN_IF_ERROR(Take(happening, mirror));
    any = true;
  }
  while (MayAsk()) {
    const std::optional<Question> question = mirror->NextQuestion();
    if (!question) break;
    Ask(*question);
    allowance_ -= 1;
    any = true;
  }
  return any;
}

bool ZooKeeperSource::MayAsk() {
  if (options_.rate == 0) return true;
  const Clock::time_point now = Clock::now();
  const double rate = static_cast<double>(options_.rate);
  allowance_ += rate * std::chrono::duration<double>(now - counted_).count();
  // What was not used is saved up for a tenth of a second.
  allowance_ = std::min(allowance_, std::max(rate / 10, 1.0));
  counted_ = now;
  return allowance_ >= 1;
}

absl::Status ZooKeeperSource::Take(const ZooKeeperClient::Happening& happening, Mirror* mirror) {
  return std::visit(
      base::Overloaded{
          [&](const ZooKeeperClient::Opened& opened) {
            session_ = opened.session;
            pending_.clear();
            Send(jute::Opcode::kAddWatch, {}, jute::AddWatch{options_.top, kPersistentRecursive});
            return absl::OkStatus();
          },
          [&](const ZooKeeperClient::Lost& lost) {
            mirror->Lost();
            options_.on_connection(lost.reason);
            return absl::OkStatus();
          },
          [&](const ZooKeeperClient::Reply& reply) { return TakeReply(reply, mirror); },
          [&](const jute::Event& event) {
            mirror->Changed(event.path);
            return absl::OkStatus();
          },
          [&](const ZooKeeperClient::Failed& failed) { return failed.why; },
      },
      happening);
}

void ZooKeeperSource::Send(jute::Opcode type, const Question& question,
                           const jute::Request& request) {
  pending_.push_back({type, question});
  client_.Ask(session_, request);
}

void ZooKeeperSource::Ask(const Question& question) {
  using jute::Opcode;
  const auto read = [&](Opcode type) {
    Send(type, question, jute::Read{type, question.path, /*watch=*/false});
  };
  switch (question.kind) {
    case Question::Kind::kStat:
      return read(Opcode::kExists);
    case Question::Kind::kNode:
      read(Opcode::kGetData);
      return Send(Opcode::kGetAcl, question, jute::GetAcl{question.path});
    case Question::Kind::kChildren:
      return read(Opcode::kGetChildren2);
    case Question::Kind::kSync:
      return Send(Opcode::kSync, question, jute::Sync{question.path});
  }
}

absl::Status ZooKeeperSource::TakeReply(const ZooKeeperClient::Reply& reply, Mirror* mirror) {
  if (pending_.empty()) return absl::InternalError("ZooKeeper answered what was not asked");
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (pending.type == jute::Opcode::kAddWatch && reply.error == jute::ErrorCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(client_.options().servers.front(),
                     " knows no recursive watches: that takes ZooKeeper 3.6 or newer"));
  }
  const bool absent = reply.error == jute::ErrorCode::kNoNode;
  const bool denied = reply.error == jute::ErrorCode::kNoAuth;
  if ((absent || denied) && pending.type != jute::Opcode::kAddWatch) {
    Answer answer;
    answer.outcome = absent ? Answer::Outcome::kNoNode : Answer::Outcome::kDenied;
    if (pending.type == jute::Opcode::kGetData) {
      node_ = answer;
    } else {
      mirror->Answered(pending.question, answer);
    }
    return absl::OkStatus();
  }
  if (reply.error != jute::ErrorCode::kOk) {
    return absl::FailedPreconditionError(absl::StrCat(
        "ZooKeeper cannot tell of ", pending.question.path, ": ", ErrorText(reply.error)));
  }
  jute::Record record;
  if (!jute::DecodeRecord(pending.type, reply.record, &record)) {
    return absl::InternalError("ZooKeeper sent a reply that cannot be read");
  }
  return TakeAnswer(pending, record, mirror);
}

absl::Status ZooKeeperSource::TakeAnswer(const Pending& pending, const jute::Record& record,
                                         Mirror* mirror) {
  Answer answer;
  if (const auto* data = std::get_if<jute::DataRecord>(&record)) {
    node_ = {};
    node_.data = data->data;
    PutStat(data->stat, &node_);
    return absl::OkStatus();
  }
  if (const auto* acl = std::get_if<jute::AclRecord>(&record)) {
    answer = std::move(node_);
    answer.acl = acl->acl;
    answer.version.acl = acl->stat.acl_version;
  } else if (const auto* stat = std::get_if<jute::StatRecord>(&record)) {
    PutStat(stat->stat, &answer);
  } else if (const auto* names = std::get_if<jute::NamesRecord>(&record)) {
    PutStat(*names->stat, &answer);
    answer.names = names->names;
  } else if (pending.type == jute::Opcode::kAddWatch) {
    if (std::exchange(was_connected_, true)) options_.on_connection("");
    mirror->Connected();
    return absl::OkStatus();
  }
  mirror->Answered(pending.question, std::move(answer));
  return absl::OkStatus();
}

std::string ErrorText(jute::ErrorCode error) {
  const auto code = static_cast<int32_t>(error);
  const auto say = [code](const char* words) { return absl::StrCat(words, " (", code, ")"); };
  switch (error) {
    case jute::ErrorCode::kNoNode:
      return say("there is no such node, or no parent");
    case jute::ErrorCode::kNoAuth:
      return say("the ACL does not let this client do that");
    case jute::ErrorCode::kNotEmpty:
      return say("it has children");
    case jute::ErrorCode::kInvalidAcl:
      return say("ZooKeeper does not take its ACL");
    case jute::ErrorCode::kBadArguments:
      return say("ZooKeeper does not take its path");
    case jute::ErrorCode::kNoChildrenForEphemerals:
      return say("it would lie below an ephemeral node");
    case jute::ErrorCode::kQuotaExceeded:
      return say("a quota is exceeded");
    case jute::ErrorCode::kThrottled:
      return say("the server is overloaded");
    case jute::ErrorCode::kNotReadOnly:
      return say("the server is cut off from the others");
    default:
      return absl::StrCat("error ", code);
  }
}

}  // namespace pando::cli
