#include "sim/lane_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/truth.h"

namespace pando::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void LaneWriter::Start() {
  if (stopping_) return;
  if (server_ == nullptr || !server_->running() || server_->lives() != life_ || rng_.Chance(30)) {
    if (server_ != nullptr && server_->running()) {
      server_->Post(io::LaneClosed{model::LaneId(lane_)});
    }
    server_ = world_->pick();
    life_ = server_->lives();
    lane_ = ++world_->last_id;
    sent_ = 0;
  }
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.lane = model::LaneId(lane_);
  for (uint64_t i = rng_.Between(1, 4); i > 0; --i) {
    model::Command command;
    command.identities = {{"world", "anyone"}};
    command.body = model::Create{.path = absl::StrCat("/lane-", lane_, "-", ++sent_, "-"),
                                 .data = absl::StrCat("lane/", lane_, "/", sent_),
                                 .sequential = true};
    io::Request request;
    request.tag = ++next_tag_;
    request.deadline = world_->schedule->now() + seconds(1);
    request.body = std::move(command);
    batch.requests.push_back(std::move(request));
    ++world_->calls;
  }
  io::Request read;
  read.tag = ++next_tag_;
  read.deadline = world_->schedule->now() + seconds(1);
  read.consistency = io::Consistency::kLinearizable;
  read.body = model::Query{.identities = {{"world", "anyone"}}, .body = model::Get{"/"}};
  reads_.emplace(read.tag, world_->told);
  batch.requests.push_back(std::move(read));
  ++world_->calls;
  server_->Post(std::move(batch));
  world_->schedule->After(milliseconds(rng_.Between(100, 700)),
                          [self = shared_from_this()] { self->Start(); });
}

void LaneWriter::Deliver(std::vector<io::Completion> completions) {
  for (const io::Completion& completion : completions) {
    if (!completion.reply.ok()) continue;
    const model::Revision revision = completion.reply.revision;
    const auto read = reads_.find(completion.tag);
    if (read != reads_.end() && revision < read->second) {
      Violated(absl::StrCat("lane ", lane_, ": a LINEARIZABLE read of revision ", revision.value(),
                            ", but somebody was told ", read->second.value()));
    }
    world_->told = std::max(world_->told, revision);
  }
}

}  // namespace pando::sim
