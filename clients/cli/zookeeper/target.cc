#include "cli/zookeeper/target.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/overloaded.h"
#include "base/status.h"
#include "cli/zookeeper/source.h"
#include "jute/encode_request.h"

namespace pando::cli {
namespace {

constexpr int32_t kAnyVersion = -1;
// jute.maxbuffer, as servers have it unless they are told otherwise; they close the connection of
// whoever sends more.
constexpr size_t kRequestBytesMax = 0xfffff;
// Of a request, beside data: more than any path and ACL that Pando can hold.
constexpr size_t kRequestOverheadMax = 32 << 10;

}  // namespace

ZooKeeperTarget::ZooKeeperTarget(ZooKeeperClient* client, Options options)
    : client_(*client), options_(std::move(options)) {}

absl::StatusOr<bool> ZooKeeperTarget::Exchange(Mirror* mirror) {
  bool any = false;
  for (const ZooKeeperClient::Happening& happening : client_.Take()) {
    PANDO_RETURN_IF_ERROR(Take(happening, mirror));
    any = true;
  }
  while (jobs_.size() < options_.outstanding) {
    std::optional<Write> write = mirror->NextWrite();
    if (!write) break;
    any = true;
    if (write->bytes() > kRequestBytesMax - kRequestOverheadMax) {
      mirror->Written(*write,
                      "more data than ZooKeeper takes in a request (jute.maxbuffer, 1 MiB)");
      continue;
    }
    if (!std::exchange(made_parents_, true)) MakeParents();
    jobs_.push_back({*std::move(write)});
    Start(std::prev(jobs_.end()));
  }
  return any;
}

void ZooKeeperTarget::MakeParents() {
  for (size_t slash = options_.top.find('/', 1); slash != std::string::npos;
       slash = options_.top.find('/', slash + 1)) {
    Job& job = jobs_.emplace_back();
    job.of_mirror = false;
    job.write.path = options_.top.substr(0, slash);
    job.write.acl = model::OpenAcl();
    job.write.is_new = true;
    Start(std::prev(jobs_.end()));
  }
}

absl::Status ZooKeeperTarget::Take(const ZooKeeperClient::Happening& happening, Mirror* mirror) {
  return std::visit(
      base::Overloaded{
          [&](const ZooKeeperClient::Opened& opened) {
            session_ = opened.session;
            pending_.clear();
            if (std::exchange(was_connected_, true)) options_.on_connection("");
            for (At job = jobs_.begin(); job != jobs_.end(); ++job) Start(job);
            return absl::OkStatus();
          },
          [&](const ZooKeeperClient::Lost& lost) {
            options_.on_connection(lost.reason);
            return absl::OkStatus();
          },
          [&](const ZooKeeperClient::Reply& reply) { return TakeReply(reply.error, mirror); },
          [&](const jute::Event&) { return absl::OkStatus(); },
          [&](const ZooKeeperClient::Failed& failed) { return failed.why; },
      },
      happening);
}

void ZooKeeperTarget::Send(At job, const jute::Request& request) {
  ++job->unanswered;
  pending_.push_back({job, jute::TypeOf(request)});
  client_.Ask(session_, request);
}

void ZooKeeperTarget::Start(At job) {
  job->unanswered = 0;
  job->was_otherwise = false;
  job->refusal.clear();
  if (job->write.kind == Write::Kind::kRemove) {
    Send(job, jute::Delete{job->write.path, kAnyVersion});
  } else if (job->write.is_new) {
    Create(job);
  } else {
    Update(job);
  }
}

void ZooKeeperTarget::Create(At job) {
  const Write& write = job->write;
  Send(job, jute::Create{jute::Opcode::kCreate, write.path, write.data, write.acl});
}

void ZooKeeperTarget::Update(At job) {
  const Write& write = job->write;
  if (write.sets_data) Send(job, jute::SetData{write.path, write.data, kAnyVersion});
  if (write.sets_acl) Send(job, jute::SetAcl{write.path, write.acl, kAnyVersion});
}

absl::Status ZooKeeperTarget::TakeReply(jute::ErrorCode error, Mirror* mirror) {
  if (pending_.empty()) return absl::InternalError("ZooKeeper answered what was not asked");
  const Pending pending = pending_.front();
  pending_.pop_front();
  const At job = pending.job;
  --job->unanswered;
  if (error != jute::ErrorCode::kOk) TakeError(job, pending.type, error);
  if (job->unanswered > 0) return absl::OkStatus();
  if (!job->of_mirror && !job->refusal.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make ", job->write.path, ": ", job->refusal));
  }
  if (job->of_mirror) mirror->Written(job->write, job->refusal);
  jobs_.erase(job);
  return absl::OkStatus();
}

// Done twice, or done to a tree that somebody else has changed: what is thought to be new may be
// there, and the other way round. Each is found out once.
void ZooKeeperTarget::TakeError(At job, jute::Opcode type, jute::ErrorCode error) {
  const bool is_create = type == jute::Opcode::kCreate;
  const bool exists = is_create && error == jute::ErrorCode::kNodeExists;
  const bool absent = !is_create && error == jute::ErrorCode::kNoNode;
  if (exists && !job->of_mirror) return;
  // Whoever removes what is gone has what he wants.
  if (absent && type == jute::Opcode::kDelete) return;
  if ((exists || absent) && !job->was_otherwise) {
    job->was_otherwise = true;
    if (exists) {
      Update(job);
    } else {
      Create(job);
    }
    return;
  }
  // Of an update's two requests both say that there is nothing; the first has brought the create.
  if (absent && job->unanswered > 0) return;
  if (job->refusal.empty()) job->refusal = ErrorText(error);
}

}  // namespace pando::cli
