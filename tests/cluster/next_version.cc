// What makes pandod_next: it takes the place of services/server/machine_version_max.cc.
#include "server/machine_version.h"

namespace pando::server {

const uint32_t kMachineVersionMax = 2;

}  // namespace pando::server
