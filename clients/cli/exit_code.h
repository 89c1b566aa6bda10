// What the process ends with.
//
// Inside the CLI an absl::Status says who is to act, and nothing finer:
//   kInvalidArgument   the user: the command line or a file it names is wrong   exit 2
//   kUnavailable       the operator: no server answered in time                 exit 69
//   kAborted           the user: it is not known whether the write was applied  exit 75
//   any other          the user: the server, or the local disk, refused         exit 1
// Its message is the one line that is printed; it says what to do.
#ifndef PANDO_CLIENTS_CLI_EXIT_CODE_H_
#define PANDO_CLIENTS_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace pando::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 69;
inline constexpr int kExitMaybeApplied = 75;

int ExitCodeOf(const absl::Status& status);

// For a command that ran a program and ends as that did: 128 + N if signal N ended it. OK if it
// succeeded.
absl::Status EndedAs(int wait_status);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_EXIT_CODE_H_
