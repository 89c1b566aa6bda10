// Versions of the machine: how what is in the log is applied. The log says which one is in force,
// and the leader raises it once every member supports the next.
#ifndef PANDO_SERVER_MACHINE_VERSION_H_
#define PANDO_SERVER_MACHINE_VERSION_H_

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace pando::server {

// Those that this binary can be.
inline constexpr uint32_t kMachineVersionMin = 1;
// Not a constant of the header: tests link a binary that is newer (tests/cluster).
extern const uint32_t kMachineVersionMax;

// FAILED_PRECONDITION if this binary is too old for `what`, which is of `version`.
absl::Status CheckMachineVersion(std::string_view what, uint32_t version);

}  // namespace pando::server

#endif  // PANDO_SERVER_MACHINE_VERSION_H_
