// PandoSource: a tree in Pando, as the source of a Mirror.
//
// A watch tells of all that happens below the top, on a thread of its own, and goes on where it was
// when its server dies; what it tells of is read on a server that has applied it.
#ifndef PANDO_CLIENTS_CLI_MIRROR_PANDO_SOURCE_H_
#define PANDO_CLIENTS_CLI_MIRROR_PANDO_SOURCE_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/follow.h"
#include "cli/mirror/doorbell.h"
#include "cli/mirror/mirror.h"
#include "pando/v1/tree.pb.h"

namespace pando::cli {

class PandoSource {
 public:
  // `bell` rings when the watch has told something, and outlives it.
  PandoSource(ConnectionOptions options, std::string top, Doorbell* bell);
  ~PandoSource();
  PandoSource(const PandoSource&) = delete;
  PandoSource& operator=(const PandoSource&) = delete;

  // Hands on what was told, and answers all questions. Whether there was anything. For one thread.
  absl::StatusOr<bool> Exchange(Mirror* mirror);

 private:
  // An operation that was sent: for which question, and what it adds to the answer.
  struct Pending {
    Question question;
    Answer answer;     // as far as it has come
    bool last = true;  // of the question's operations
  };

  void Watch();
  bool TakeTold(Mirror* mirror);
  std::optional<v1::PipelineOperation> NextOperation(Mirror* mirror);
  absl::Status TakeResult(const v1::PipelineOperation& operation, const v1::PipelineResult& result,
                          Mirror* mirror);

  const std::string top_;
  Doorbell& bell_;
  Connection reads_;
  Connection watch_;  // of the own thread
  FollowStop stop_;

  // --- Of one question or more ---
  std::deque<v1::PipelineOperation> follow_ups_;  // to be sent before new questions
  std::deque<Pending> waiting_;                   // of these
  std::deque<Pending> sent_;
  Answer node_;  // the first of its two results, while the second is to come

  // --- Of both threads ---
  std::mutex mutex_;
  std::vector<std::string> told_;
  int64_t revision_ = 0;    // of the last that was told
  bool in_place_ = false;   // the watch is
  absl::Status ended_;      // why the watch has ended, if it has
  bool connected_ = false;  // the mirror knows that the watch is in place; of the other thread

  std::thread thread_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_PANDO_SOURCE_H_
