// Import: a folder of the local disk becomes a subtree.
//
// A folder is a node with null data, a regular file a node with its bytes, empty ones too. What is
// there already is overwritten, what is only there is left, so an import that broke off is simply
// run again. Left out, and reported: symlinks, special files, what cannot be read, names that are
// not UTF-8 or break the rules of paths, and files over the limit of values; never a part of a
// file.
#ifndef PANDO_CLIENTS_CLI_IMPORT_H_
#define PANDO_CLIENTS_CLI_IMPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/progress.h"
#include "cli/skipped.h"

namespace pando::cli {

struct ImportEntry {
  std::string file;  // on the local disk
  std::string relative;
  std::string node;
  bool is_folder = false;
};

// All that is below `folder`, a folder before what is in it, each folder in the order of its names.
// What is left out goes to `skipped`. INVALID_ARGUMENT: `folder` is none, or `node` is no path.
absl::StatusOr<std::vector<ImportEntry>> ScanFolder(const std::string& folder,
                                                    const std::string& node, SkippedPaths* skipped);

struct TransferSummary {
  uint64_t folders = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;
};

// Writes the entries, and the missing parents of the first.
absl::StatusOr<TransferSummary> ImportEntries(Connection* connection,
                                              const std::vector<ImportEntry>& entries,
                                              Progress* progress, SkippedPaths* skipped);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_IMPORT_H_
