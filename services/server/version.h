// The version of this binary, as --version, metrics and the membership say it.
#ifndef PANDO_SERVER_VERSION_H_
#define PANDO_SERVER_VERSION_H_

#include <cstdint>

namespace pando::server {

extern const char kVersion[];

// Versions of the machine that this binary can be.
inline constexpr uint32_t kMachineVersionMin = 1;
inline constexpr uint32_t kMachineVersionMax = 1;

}  // namespace pando::server

#endif  // PANDO_SERVER_VERSION_H_
