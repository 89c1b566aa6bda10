// Randomness of the kernel (getrandom): for ids, tokens and seeds. Thread-safe.
#ifndef PANDO_POSIX_RANDOM_H_
#define PANDO_POSIX_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace pando::posix {

std::string RandomBytes(size_t size);
// Never zero: zero is no id.
uint64_t RandomNumber();

}  // namespace pando::posix

#endif  // PANDO_POSIX_RANDOM_H_
