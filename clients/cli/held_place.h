// RunHolding: runs a program while this process is at the head of a queue: holds a lock, or leads.
#ifndef PANDO_CLIENTS_CLI_HELD_PLACE_H_
#define PANDO_CLIENTS_CLI_HELD_PLACE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/commands/command.h"

namespace pando::cli {

struct HoldOptions {
  std::vector<std::string> program;  // a name and its arguments
  // After so long without word of a server the place counts as lost, and the program is stopped
  // before anybody else can have it.
  std::chrono::milliseconds session_timeout{10'000};
};

// Where we are once we are there.
struct Held {
  std::string ownership_path;
  int64_t fencing_token = 0;
};

// Waits for the place, in the session that `header` names; repeated on the next server if one goes.
using TakePlace = std::function<grpc::Status(const Server& server, grpc::ClientContext* context,
                                             const v1::RequestHeader& header, Held* held)>;

// Takes the place, runs the program with PANDO_OWNERSHIP_PATH and PANDO_FENCING_TOKEN in its
// environment, gives the place back and ends as the program did. INT and TERM end the waiting, or
// stop the program (TERM, then KILL). FAILED_PRECONDITION: the place was lost, and the program
// stopped.
absl::Status RunHolding(const Globals& globals, const HoldOptions& options, const TakePlace& take);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_HELD_PLACE_H_
