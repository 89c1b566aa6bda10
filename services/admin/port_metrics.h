// PortMetrics: the numbers that have a label `port`: connections, who was turned away, and how long
// certificates last. Thread-safe.
#ifndef PANDO_ADMIN_PORT_METRICS_H_
#define PANDO_ADMIN_PORT_METRICS_H_

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"

namespace pando::admin {

struct PortNumbers {
  struct Refused {
    std::string reason;
    uint64_t count = 0;
  };
  std::string port;
  std::optional<uint64_t> connections;              // none: nobody counts them
  std::vector<Refused> refused;                     // since the start
  std::optional<base::WallTime> certificate_until;  // none: it does not speak TLS
};

class PortMetrics {
 public:
  using Source = std::function<std::vector<PortNumbers>()>;

  // Asked at every scrape; none any more once a call with null has returned.
  void SetSource(Source source) PANDO_EXCLUDES(mutex_);
  void Collect(std::vector<prometheus::MetricFamily>* families) const PANDO_EXCLUDES(mutex_);

 private:
  mutable base::Mutex mutex_;  // held while the source is asked
  Source source_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::admin

#endif  // PANDO_ADMIN_PORT_METRICS_H_
