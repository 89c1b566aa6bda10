#include "cli/exit_code.h"

namespace pando::cli {

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kUnavailable:
      return kExitUnreachable;
    case absl::StatusCode::kAborted:
      return kExitMaybeApplied;
    default:
      return kExitRefused;
  }
}

}  // namespace pando::cli
