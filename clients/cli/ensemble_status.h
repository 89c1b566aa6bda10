// EnsembleStatus: how all servers of an ensemble stand.
#ifndef PANDO_CLIENTS_CLI_ENSEMBLE_STATUS_H_
#define PANDO_CLIENTS_CLI_ENSEMBLE_STATUS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "pando/v1/cluster.pb.h"

namespace pando::cli {

struct EnsembleStatus {
  // As one server sees them: one that knows a leader, where there is one. A server that answered
  // itself is told of in its own words, but for `reachable`.
  v1::StatusResponse view;
  std::set<int64_t> answered;  // ids
};

// Asks the server of `connection`, and then every other member at its own address, all at once and
// for a second: those that a partition keeps apart tell of themselves.
absl::StatusOr<EnsembleStatus> AskEnsemble(Connection* connection);

// What AskEnsemble makes of the answers, of which `first` was the first.
EnsembleStatus CombineStatus(const v1::StatusResponse& first,
                             const std::vector<v1::StatusResponse>& others);

std::string EnsembleStatusText(const EnsembleStatus& status, Format format);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_ENSEMBLE_STATUS_H_
