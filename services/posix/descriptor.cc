#include "posix/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace pando::posix {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnknown;
  }
}

}  // namespace

Descriptor::~Descriptor() {
  // Its result says nothing: what must be on disk was synced, and Linux closes whatever it returns.
  if (fd_ >= 0) ::close(fd_);
}

absl::Status ErrnoStatus(int error, std::string_view call, std::string_view path) {
  return absl::Status(CodeOf(error), absl::StrCat(base::View(call), " ", base::View(path), ": ",
                                                  std::generic_category().message(error)));
}

}  // namespace pando::posix
