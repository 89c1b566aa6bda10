#include "server/version.h"

namespace pando::server {

const char kVersion[] = PANDO_VERSION;  // of the CMake project

}  // namespace pando::server
