#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pando::base {

uint64_t Hash64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

struct Hasher::State {
  XXH3_state_t xxh3;
};

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }

Hasher::~Hasher() = default;

void Hasher::Add(std::string_view bytes) {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

uint64_t Hasher::value() const { return XXH3_64bits_digest(&state_->xxh3); }

}  // namespace pando::base
