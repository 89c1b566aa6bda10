#include "sim/operator.h"

#include <chrono>

namespace pando::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Of an order that helps, but need not succeed.
constexpr int kTriesMax = 2;

}  // namespace

void Operator::Order(io::AdminOrder order, std::function<void(bool)> done) {
  orders_.push_back({std::move(order), std::move(done), 0});
  if (orders_.size() > 1) return;
  schedule_->After(milliseconds(1), [self = shared_from_this()] { self->Try(); });
}

void Operator::Deliver(std::vector<io::Completion> completions) {
  for (const io::Completion& completion : completions) {
    if (completion.tag != tag_ || orders_.empty()) continue;
    const model::Error& error = completion.reply.error;
    if (error.ok() || error.reason == model::Reason::kNoNode) return End(true);
    if (error.reason == model::Reason::kInvalidArgument) return End(false);
  }
}

void Operator::Try() {
  if (orders_.empty()) return;
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  io::Request request;
  request.tag = ++tag_;
  request.deadline = schedule_->now() + seconds(2);
  request.body = io::Administer{orders_.front().order};
  batch.requests.push_back(std::move(request));
  pick_()->Post(std::move(batch));
  schedule_->After(milliseconds(2'500), [self = shared_from_this(), tag = tag_] {
    if (tag != self->tag_ || self->orders_.empty()) return;
    const bool optional =
        std::holds_alternative<io::TransferLeadership>(self->orders_.front().order);
    if (optional && ++self->orders_.front().tries >= kTriesMax) {
      self->End(false);
    } else {
      self->Try();
    }
  });
}

void Operator::End(bool good) {
  ++tag_;
  // Later: this is the turn of a server that the operator may now want to kill.
  schedule_->After(milliseconds(1), [self = shared_from_this(), good] {
    const std::function<void(bool)> done = std::move(self->orders_.front().done);
    self->orders_.pop_front();
    if (done) done(good);
    self->Try();
  });
}

}  // namespace pando::sim
