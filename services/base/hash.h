// XXH3, 64 bits: the checksum of everything on disk and the unit of the state's digest. It guards
// against accidents, not against malice. The value is part of the disk format and never changes.
#ifndef PANDO_BASE_HASH_H_
#define PANDO_BASE_HASH_H_

#include <cstdint>
#include <memory>
#include <string_view>

namespace pando::base {

uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);

// Hash64, with seed 0, of bytes that come in parts.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  void Add(std::string_view bytes);
  // Of all that was added so far.
  uint64_t value() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace pando::base

#endif  // PANDO_BASE_HASH_H_
