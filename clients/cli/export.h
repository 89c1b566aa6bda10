// Export: a subtree becomes a folder of the local disk; what Import made of a folder comes back.
//
// A node with data and without children is a file, any other a folder. All of it is of one
// revision. Files that are there are overwritten, others are left. Left out, and reported: data of
// a node that is a folder, and what the local file system does not take.
#ifndef PANDO_CLIENTS_CLI_EXPORT_H_
#define PANDO_CLIENTS_CLI_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/import.h"
#include "cli/progress.h"
#include "cli/skipped.h"

namespace pando::cli {

absl::StatusOr<TransferSummary> ExportSubtree(Connection* connection, const std::string& node,
                                              const std::string& folder, Progress* progress,
                                              SkippedPaths* skipped);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_EXPORT_H_
