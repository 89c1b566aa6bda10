// ZooKeeperTarget: a tree in ZooKeeper, as the target of a Mirror.
//
// What is not answered when the connection breaks is done again, in order: each write bears that.
// Owned by one thread.
#ifndef PANDO_CLIENTS_CLI_ZOOKEEPER_TARGET_H_
#define PANDO_CLIENTS_CLI_ZOOKEEPER_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/mirror/mirror.h"
#include "cli/zookeeper/client.h"

namespace pando::cli {

class ZooKeeperTarget {
 public:
  struct Options {
    std::string top;  // its parents are made if they are missing
    size_t outstanding = 256;
    // The connection was lost, for a reason; or it is there again ("").
    std::function<void(const std::string&)> on_connection;
  };
  // `client` outlives it, and is used by nobody else.
  ZooKeeperTarget(ZooKeeperClient* client, Options options);

  // Hands on what was done, and sends what is to be done; waits for nothing. Whether there was
  // anything.
  absl::StatusOr<bool> Exchange(Mirror* mirror);

 private:
  struct Job {
    Write write;
    bool of_mirror = true;       // else a parent of the top, which may be there
    bool was_otherwise = false;  // there, or not there, against what was thought
    int unanswered = 0;          // requests
    std::string refusal;
  };
  using At = std::list<Job>::iterator;
  struct Pending {
    At job;
    jute::Opcode type;
  };

  absl::Status Take(const ZooKeeperClient::Happening& happening, Mirror* mirror);
  absl::Status TakeReply(jute::ErrorCode error, Mirror* mirror);
  void TakeError(At job, jute::Opcode type, jute::ErrorCode error);
  void MakeParents();
  void Start(At job);
  void Create(At job);
  void Update(At job);
  void Send(At job, const jute::Request& request);

  ZooKeeperClient& client_;
  const Options options_;
  uint64_t session_ = 0;
  std::list<Job> jobs_;  // in order; not done
  std::deque<Pending> pending_;
  bool made_parents_ = false;
  bool was_connected_ = false;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_ZOOKEEPER_TARGET_H_
