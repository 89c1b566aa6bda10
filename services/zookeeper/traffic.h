// Traffic: what has gone over one connection, or over all of them, in ZooKeeper's terms.
#ifndef PANDO_ZOOKEEPER_TRAFFIC_H_
#define PANDO_ZOOKEEPER_TRAFFIC_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace pando::zookeeper {

// Of requests, from their arrival to their answers.
struct Latency {
  uint64_t count = 0;
  base::Duration last{0};
  base::Duration min{0};
  base::Duration max{0};
  base::Duration sum{0};

  void Add(base::Duration taken) {
    min = count == 0 ? taken : std::min(min, taken);
    max = std::max(max, taken);
    last = taken;
    sum += taken;
    ++count;
  }
  double average_ms() const {
    if (count == 0) return 0;
    return std::chrono::duration<double, std::milli>(sum).count() / static_cast<double>(count);
  }
};

struct Traffic {
  uint64_t received = 0;  // frames
  uint64_t sent = 0;      // likewise: answers and events
  Latency latency;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_TRAFFIC_H_
