// Rng: the only source of randomness of a core; the same seed gives the same numbers everywhere.
// splitmix64: small, fast, good enough for jitter and simulation, not for secrets. Not thread-safe.
#ifndef PANDO_BASE_RNG_H_
#define PANDO_BASE_RNG_H_

#include <cstdint>

#include "base/check.h"

namespace pando::base {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound), but for a bias below 2^-32 for the small bounds used here.
  uint64_t Below(uint64_t bound) {
    CHECK(bound > 0);
    return Next() % bound;
  }
  // Uniform in [low, high].
  uint64_t Between(uint64_t low, uint64_t high) {
    CHECK(low <= high);
    return low + Below(high - low + 1);
  }
  // True `parts_per_thousand` times in a thousand.
  bool Chance(uint64_t parts_per_thousand) { return Below(1000) < parts_per_thousand; }

 private:
  uint64_t state_;
};

}  // namespace pando::base

#endif  // PANDO_BASE_RNG_H_
