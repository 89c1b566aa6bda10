// Backlog: what a session has been asked and has not answered, in the order of its request ids.
//
//   Add ──► waiting ──Take──► unanswered ──Answered──► done
//              ▲                  │
//              └──────Rewind──────┘  the Pipeline broke: all of it goes again, in order, first
//
// The session's thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_BACKLOG_H_
#define PANDO_CLIENTS_CPP_SRC_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "operation.h"

namespace pando::client {

class Backlog final {
 public:
  // A session keeps 1,024 answers for repeats, so that no more are under way.
  static constexpr size_t kUnansweredMax = 1000;
  // A Pipeline's message has at most 4 MiB; one operation of any size always fits.
  static constexpr size_t kMessageBytesMax = 1 << 20;
  // With so many messages unanswered, what comes gathers for the next one: so it batches.
  static constexpr size_t kMessagesMax = 4;

  using Operations = std::vector<std::shared_ptr<Operation>>;

  // Gives it its request id.
  void Add(std::shared_ptr<Operation> operation);

  // The operations of the next message, all of one consistency, because a message has one. None, if
  // nothing waits or too much is unanswered.
  Operations Take();
  // No answer to a lower request id is waited for.
  int64_t first_outstanding() const;

  // The operation that an answer is for; null: answers come in order, and this is not the next.
  std::shared_ptr<Operation> Answered(int64_t request_id);
  // Its answer was none: it goes again with the next Rewind.
  void Keep(std::shared_ptr<Operation> operation) { waiting_.push_front(std::move(operation)); }
  // What was sent and not answered goes again, before what was not sent.
  void Rewind();

  // All that somebody waits for, in order.
  Operations Outstanding() const;

 private:
  std::deque<std::shared_ptr<Operation>> waiting_;
  std::deque<std::shared_ptr<Operation>> unanswered_;
  // The last request id of each message that is not answered whole.
  std::deque<int64_t> message_ends_;
  int64_t last_request_id_ = 0;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_BACKLOG_H_
