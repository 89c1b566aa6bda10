// The arithmetic of majorities. Pure.
#ifndef PANDO_RAFT_QUORUM_H_
#define PANDO_RAFT_QUORUM_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace pando::raft {

// How many of `voters` are a majority: any two of that size have one in common.
constexpr size_t Majority(size_t voters) { return voters / 2 + 1; }

// The largest value that `count` of `values` have reached.
template <class T>
T ReachedBy(size_t count, std::vector<T> values) {
  CHECK(0 < count && count <= values.size());
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(values.begin(), nth, values.end(), std::greater<T>());
  return *nth;
}

// The largest value that a majority has reached, of one value for each voter. REQUIRES: not empty.
template <class T>
T ReachedByMajority(std::vector<T> values) {
  const size_t majority = Majority(values.size());
  return ReachedBy(majority, std::move(values));
}

}  // namespace pando::raft

#endif  // PANDO_RAFT_QUORUM_H_
