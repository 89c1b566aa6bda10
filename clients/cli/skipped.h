// SkippedPaths: what an import or export left out, and why.
#ifndef PANDO_CLIENTS_CLI_SKIPPED_H_
#define PANDO_CLIENTS_CLI_SKIPPED_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace pando::cli {

class SkippedPaths {
 public:
  struct Skipped {
    std::string path;  // below the folder or node that was named; "." is that itself
    std::string reason;
  };

  void Add(std::string path, std::string reason);
  const std::vector<Skipped>& all() const { return all_; }

  // One line a path: the path, a tab, the reason. In the path a backslash, a control character and
  // what is not UTF-8 are written as \\ or \xNN, so that every path can be had back.
  std::string Report() const;

  // Tells the user: writes the report to `file`, or, if that is empty, the first few to stderr.
  absl::Status Tell(const std::string& file) const;

 private:
  std::vector<Skipped> all_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SKIPPED_H_
