#include "backlog.h"

#include <algorithm>
#include <utility>

namespace pando::client {

void Backlog::Add(std::shared_ptr<Operation> operation) {
  operation->message.set_request_id(++last_request_id_);
  waiting_.push_back(std::move(operation));
}

Backlog::Operations Backlog::Take() {
  Operations taken;
  size_t bytes = 0;
  if (message_ends_.size() >= kMessagesMax) return taken;
  while (!waiting_.empty() && unanswered_.size() < kUnansweredMax) {
    const std::shared_ptr<Operation>& operation = waiting_.front();
    if (!operation->ended) {  // else its caller has given it up
      bytes += operation->message.ByteSizeLong();
      if (!taken.empty() &&
          (bytes > kMessageBytesMax || operation->linearizable != taken.front()->linearizable)) {
        break;
      }
      operation->sent = true;
      unanswered_.push_back(operation);
      taken.push_back(operation);
    }
    waiting_.pop_front();
  }
  if (!taken.empty()) message_ends_.push_back(taken.back()->request_id());
  return taken;
}

int64_t Backlog::first_outstanding() const {
  if (!unanswered_.empty()) return unanswered_.front()->request_id();
  if (!waiting_.empty()) return waiting_.front()->request_id();
  return last_request_id_ + 1;
}

std::shared_ptr<Operation> Backlog::Answered(int64_t request_id) {
  if (unanswered_.empty() || unanswered_.front()->request_id() != request_id) return nullptr;
  std::shared_ptr<Operation> operation = std::move(unanswered_.front());
  unanswered_.pop_front();
  if (message_ends_.front() == request_id) message_ends_.pop_front();
  return operation;
}

void Backlog::Rewind() {
  Operations again = Outstanding();
  waiting_.assign(std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
  unanswered_.clear();
  message_ends_.clear();
}

Backlog::Operations Backlog::Outstanding() const {
  Operations all;
  for (const auto* queue : {&unanswered_, &waiting_}) {
    std::copy_if(queue->begin(), queue->end(), std::back_inserter(all),
                 [](const auto& operation) { return !operation->ended; });
  }
  std::sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return left->request_id() < right->request_id();
  });
  return all;
}

}  // namespace pando::client
