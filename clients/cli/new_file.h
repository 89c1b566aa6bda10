// NewFile: a file that is there whole or not at all.
#ifndef PANDO_CLIENTS_CLI_NEW_FILE_H_
#define PANDO_CLIENTS_CLI_NEW_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pando::cli {

// Written beside its final name, which it takes once it is synced; dropped before, it is deleted.
// Only its owner may read it. Failures as in files.h.
class NewFile {
 public:
  // INVALID_ARGUMENT: `path` is there and no regular file. A regular one is replaced by Finish().
  static absl::StatusOr<std::unique_ptr<NewFile>> Create(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  absl::Status Write(std::string_view bytes);
  // Forgets what was written.
  absl::Status StartAgain();
  absl::Status Finish();

 private:
  NewFile(std::string path, std::string unfinished, int fd);

  const std::string path_;
  const std::string unfinished_;
  int fd_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_NEW_FILE_H_
