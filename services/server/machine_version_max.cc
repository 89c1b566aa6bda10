#include "server/machine_version.h"

namespace pando::server {

// Alone in its file: a binary that defines its own takes nothing from this one.
const uint32_t kMachineVersionMax = 1;

}  // namespace pando::server
