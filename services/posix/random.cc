#include "posix/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace pando::posix {
namespace {

void Fill(char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) base::Fatal("getrandom: the kernel gives no randomness");
    bytes += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  Fill(bytes.data(), size);
  return bytes;
}

uint64_t RandomNumber() {
  uint64_t number = 0;
  while (number == 0) Fill(reinterpret_cast<char*>(&number), sizeof(number));
  return number;
}

}  // namespace pando::posix
