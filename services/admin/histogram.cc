#include "admin/histogram.h"

#include <algorithm>
#include <limits>

namespace pando::admin {
namespace {

double Seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Histogram::Observe(base::Duration duration) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), duration);
  counts_[static_cast<size_t>(bound - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(duration.count(), std::memory_order_relaxed);
}

prometheus::ClientMetric Histogram::Collect() const {
  prometheus::ClientMetric metric;
  uint64_t count = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i].load(std::memory_order_relaxed);
    const double bound =
        i < kBounds.size() ? Seconds(kBounds[i]) : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({count, bound});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = Seconds(base::Duration(sum_ns_.load(std::memory_order_relaxed)));
  return metric;
}

}  // namespace pando::admin
