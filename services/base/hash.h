// XXH3, 64 bits: the checksum of everything on disk and the unit of the state's digest. It guards
// against accidents, not against malice. The value is part of the disk format and never changes.
#ifndef PANDO_BASE_HASH_H_
#define PANDO_BASE_HASH_H_

#include <cstdint>
#include <string_view>

namespace pando::base {

uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace pando::base

#endif  // PANDO_BASE_HASH_H_
