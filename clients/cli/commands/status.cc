#include "cli/commands/command.h"
#include "cli/ensemble_status.h"

namespace pando::cli {
namespace {

absl::Status Status(const Globals& globals) {
  Connection connection = globals.Connect();
  const absl::StatusOr<EnsembleStatus> status = AskEnsemble(&connection);
  if (!status.ok()) return status.status();
  Print(EnsembleStatusText(*status, globals.FormatOr(Format::kTable)));
  if (status->view.leader_id() != 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the ensemble has no leader: a majority of its voters must be up and reach one another");
}

}  // namespace

void AddStatus(CommandLine* line) {
  AddCommand(line, &line->app, "status",
             "Show every server of the ensemble; exit status 0 if it has a leader",
             [line] { return Status(line->globals); });
}

}  // namespace pando::cli
