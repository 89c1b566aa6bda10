// What every fuzz target is made of. A file <name>_fuzz.cc is one target: FUZZ(bytes) { … } is
// called with arbitrary bytes and must return; a CHECK that fails, a sanitizer's report and a hang
// are findings. Built with libFuzzer by the preset "fuzz", and by every other one with replay.cc,
// which runs the seeds of corpus/<name>/ as a test.
#ifndef PANDO_TESTS_FUZZ_FUZZ_H_
#define PANDO_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/wire.h"

#define FUZZ(bytes)                                                         \
  static void Fuzz(std::string_view bytes);                                 \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    Fuzz({reinterpret_cast<const char*>(data), size});                      \
    return 0;                                                               \
  }                                                                         \
  static void Fuzz(std::string_view bytes)

namespace pando::fuzz {

// For formats in which a value has one form only: what was read is written as it was.
// Returns whether it was read.
template <class T>
bool ComesBack(std::string_view bytes, bool (*decode)(std::string_view, T*),
               std::string (*encode)(const T&)) {
  T value;
  if (!decode(bytes, &value)) return false;
  CHECK(encode(value) == bytes);
  return true;
}

// Choices: a fuzzer's bytes, taken as decisions. When they are used up every choice is the first.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}

  bool more() const { return !bytes_.at_end(); }
  uint8_t Byte() { return bytes_.Byte(); }
  bool Yes() { return (Byte() & 1) != 0; }
  size_t Below(size_t bound) { return Byte() % bound; }
  // Mostly small, often on an edge.
  uint64_t Number() {
    const uint8_t kind = Byte();
    if (kind < 0xe0) return kind & 7;
    if (kind < 0xf0) return bytes_.Fixed64();
    constexpr uint64_t top = uint64_t{1} << 63;
    constexpr uint64_t edges[] = {top, top - 1, top + 1, ~uint64_t{0}, uint64_t{1} << 32, 1'000};
    return edges[kind % (sizeof(edges) / sizeof(edges[0]))];
  }
  int64_t Signed() { return static_cast<int64_t>(Number()); }
  // At most 255, fewer when they are used up.
  std::string_view Bytes() {
    size_t size = Byte();
    std::string_view rest = base::Reader(bytes_).Rest();
    if (size > rest.size()) size = rest.size();
    return bytes_.Raw(size);
  }

 private:
  base::Reader bytes_;
};

}  // namespace pando::fuzz

#endif  // PANDO_TESTS_FUZZ_FUZZ_H_
