// ZooKeeperSource: a tree in ZooKeeper, as the source of a Mirror.
//
// One persistent recursive watch tells of all that happens below the top; it is set anew on each
// session, before anything is asked, so no change falls between. Owned by one thread.
#ifndef PANDO_CLIENTS_CLI_ZOOKEEPER_SOURCE_H_
#define PANDO_CLIENTS_CLI_ZOOKEEPER_SOURCE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/mirror/mirror.h"
#include "cli/zookeeper/client.h"

namespace pando::cli {

class ZooKeeperSource {
 public:
  struct Options {
    std::string top;
    uint64_t rate = 0;  // nodes that are looked at a second; 0: as many as it takes
    // The connection was lost, for a reason; or it is there again ("").
    std::function<void(const std::string&)> on_connection;
  };
  // `client` outlives it, and is used by nobody else.
  ZooKeeperSource(ZooKeeperClient* client, Options options);

  // Hands on what has come, and asks what is to be asked; waits for nothing. Whether there was
  // anything.
  absl::StatusOr<bool> Exchange(Mirror* mirror);

 private:
  using Clock = std::chrono::steady_clock;

  // A request without an answer. A node takes two: its data, then its ACL.
  struct Pending {
    jute::Opcode type;
    Question question;
  };

  absl::Status Take(const ZooKeeperClient::Happening& happening, Mirror* mirror);
  absl::Status TakeReply(const ZooKeeperClient::Reply& reply, Mirror* mirror);
  absl::Status TakeAnswer(const Pending& pending, const jute::Record& record, Mirror* mirror);
  void Ask(const Question& question);
  void Send(jute::Opcode type, const Question& question, const jute::Request& request);
  // Whether the rate lets another node be looked at now.
  bool MayAsk();

  ZooKeeperClient& client_;
  const Options options_;
  uint64_t session_ = 0;
  std::deque<Pending> pending_;
  Answer node_;  // the first of its two replies, while the second is to come
  bool was_connected_ = false;
  double allowance_ = 0;  // nodes that may be looked at
  Clock::time_point counted_;
};

// "-102, no permission": an error code as people know it.
std::string ErrorText(jute::ErrorCode error);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_ZOOKEEPER_SOURCE_H_
