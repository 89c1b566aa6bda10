// Local files, as bytes in memory. Failures are INTERNAL with the path and what to see in them, or
// RESOURCE_EXHAUSTED when the disk is full: then there is no point in trying the next file.
#ifndef PANDO_CLIENTS_CLI_FILES_H_
#define PANDO_CLIENTS_CLI_FILES_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pando::cli {

// "`what` `path`: " and the words of `error_number`.
absl::Status LocalError(std::string_view what, const std::string& path, int error_number);

// The whole of a regular file; a symlink is not followed. OUT_OF_RANGE: it has more than
// `bytes_max`.
absl::StatusOr<std::string> ReadRegularFile(const std::string& path, size_t bytes_max);

// The whole of whatever `path` names; "-" is stdin. OUT_OF_RANGE as above.
absl::StatusOr<std::string> ReadInput(const std::string& path, size_t bytes_max);

// The bytes of whatever `path` names, to `take` as they come; "-" is stdin. A failure of `take`
// ends it, and comes back.
absl::Status ReadInParts(const std::string& path,
                         const std::function<absl::Status(std::string_view)>& take);

// All of `bytes` to `fd`, whose name in messages is `path`.
absl::Status WriteAll(int fd, const std::string& path, std::string_view bytes);

// Makes `path`, or replaces what it held. A symlink there is not followed.
absl::Status WriteRegularFile(const std::string& path, std::string_view bytes);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_FILES_H_
