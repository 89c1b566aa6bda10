// Histogram: how long something takes, counted without a lock, because the core thread observes.
// (prometheus::Histogram takes a mutex on every Observe, and a scrape holds it.)
// Thread-safe. Counts are relaxed: a scrape in the middle of an Observe may see it in the count and
// not yet in the sum.
#ifndef PANDO_ADMIN_HISTOGRAM_H_
#define PANDO_ADMIN_HISTOGRAM_H_

#include <prometheus/client_metric.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace pando::admin {

class Histogram {
 public:
  // Upper bounds, inclusive: from an operation in memory to the longest that anybody waits.
  static constexpr std::array<base::Duration, 21> kBounds = {
      std::chrono::microseconds(5),   std::chrono::microseconds(10),
      std::chrono::microseconds(20),  std::chrono::microseconds(50),
      std::chrono::microseconds(100), std::chrono::microseconds(200),
      std::chrono::microseconds(500), std::chrono::milliseconds(1),
      std::chrono::milliseconds(2),   std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(20),
      std::chrono::milliseconds(50),  std::chrono::milliseconds(100),
      std::chrono::milliseconds(200), std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::seconds(2),
      std::chrono::seconds(5),        std::chrono::seconds(10),
      std::chrono::seconds(60)};

  void Observe(base::Duration duration);
  // As Prometheus wants it: seconds, and every bucket with those before it.
  prometheus::ClientMetric Collect() const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_{};  // the last: above all bounds
  std::atomic<int64_t> sum_ns_{0};
};

}  // namespace pando::admin

#endif  // PANDO_ADMIN_HISTOGRAM_H_
