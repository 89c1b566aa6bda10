#include "cli/exit_code.h"

#include <sys/wait.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/child.h"

namespace pando::cli {
namespace {

constexpr char kExitCode[] = "pando/exit-code";
constexpr int kSignalled = 128;  // as shells count

}  // namespace

absl::Status EndedAs(int wait_status) {
  const int code =
      WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : kSignalled + WTERMSIG(wait_status);
  if (code == 0) return absl::OkStatus();
  absl::Status status =
      absl::UnknownError(absl::StrCat("the program ended: ", EndText(wait_status)));
  status.SetPayload(kExitCode, absl::Cord(absl::StrCat(code)));
  return status;
}

int ExitCodeOf(const absl::Status& status) {
  if (const auto given = status.GetPayload(kExitCode)) {
    int code = 0;
    if (absl::SimpleAtoi(std::string(*given), &code)) return code;
  }
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
