// Samples: one number, as Prometheus' serializer wants it.
#ifndef PANDO_ADMIN_SAMPLES_H_
#define PANDO_ADMIN_SAMPLES_H_

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

namespace pando::admin {

// `type`: Gauge or Counter. Prometheus' numbers are doubles.
template <class Number>
prometheus::ClientMetric Sample(prometheus::MetricType type, Number value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = static_cast<double>(value);
  } else {
    metric.gauge.value = static_cast<double>(value);
  }
  return metric;
}

}  // namespace pando::admin

#endif  // PANDO_ADMIN_SAMPLES_H_
