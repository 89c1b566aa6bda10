#include "server/machine_version.h"

#include "absl/strings/str_cat.h"

namespace pando::server {

absl::Status CheckMachineVersion(std::string_view what, uint32_t version) {
  if (version <= kMachineVersionMax) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(base::View(what), " is of version ", version,
                   " of the machine, and this binary supports up to ", kMachineVersionMax,
                   ": take a newer one"));
}

}  // namespace pando::server
