#include "sim/session_mover.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pando::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kTimeoutMs = 20'000;

}  // namespace

void SessionMover::Send(model::Command command, Callback callback) {
  command.identities = {{"world", "anyone"}};
  io::Request request;
  request.tag = ++last_tag_;
  request.token_hash = std::string(32, 't');
  request.deadline = world_->schedule->now() + seconds(3);
  request.body = std::move(command);
  waiting_[request.tag] = std::move(callback);
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.lane = lane_;
  batch.requests.push_back(std::move(request));
  server_->Post(std::move(batch));
}

void SessionMover::Deliver(std::vector<io::Completion> completions) {
  for (const io::Completion& completion : completions) {
    const auto found = waiting_.find(completion.tag);
    if (found == waiting_.end()) continue;
    const Callback callback = std::move(found->second);
    waiting_.erase(found);
    callback(completion.reply);
  }
}

// To some server: opens a session, or attaches to the one that there is.
void SessionMover::Connect() {
  if (stopping_) return;
  if (server_ != nullptr) server_->Post(io::LaneClosed{lane_});
  server_ = world_->pick();
  lane_ = model::LaneId(++world_->last_id);
  const uint64_t connection = connection_ = last_tag_ + 1;
  model::Command command;
  if (session_) {
    command.session = session_;
    command.body = model::AttachSession{session_};
  } else {
    command.body = model::OpenSession{kTimeoutMs, std::string(32, 't')};
  }
  Send(std::move(command), [this, connection](const model::Reply& reply) {
    if (connection == connection_) OnAttached(reply);
  });
  // However it goes on, even if nobody answers.
  world_->schedule->After(milliseconds(rng_.Between(100, 2'500)),
                          [self = shared_from_this()] { self->Connect(); });
}

void SessionMover::OnAttached(const model::Reply& reply) {
  if (!reply.ok()) {
    if (reply.error.reason == model::Reason::kSessionExpired) session_ = {};
    return;
  }
  const auto& result = std::get<model::SessionResult>(reply.result);
  session_ = result.session;
  attachment_ = result.attachment;
  for (const std::string& data : unanswered_) world_->truth->Forbid(data);
  unanswered_.clear();
  if (!attachment_) return;  // it is new; the next connection attaches
  ++moves_;
  Write();
}

void SessionMover::Write() {
  if (stopping_) return;
  for (uint64_t i = rng_.Between(1, 4); i > 0; --i) {
    const std::string data = absl::StrCat("moved-", lane_.value(), "-", ++last_data_);
    model::Command command;
    command.session = session_;
    command.attachment = attachment_;
    command.body = model::Create{.path = "/moved-", .data = data, .sequential = true};
    unanswered_.insert(data);
    ++world_->calls;
    Send(std::move(command), [this, data](const model::Reply& reply) {
      if (reply.ok()) unanswered_.erase(data);
    });
  }
  world_->schedule->After(milliseconds(rng_.Between(5, 300)),
                          [self = shared_from_this(), connection = connection_] {
                            if (connection == self->connection_) self->Write();
                          });
}

}  // namespace pando::sim
