#include "admin/port_metrics.h"

#include <utility>

#include "admin/samples.h"

namespace pando::admin {

using prometheus::MetricFamily;
using prometheus::MetricType;

void PortMetrics::SetSource(Source source) {
  base::MutexLock lock(&mutex_);
  source_ = std::move(source);
}

void PortMetrics::Collect(std::vector<MetricFamily>* families) const {
  std::vector<PortNumbers> ports;
  {
    base::MutexLock lock(&mutex_);
    if (source_) ports = source_();
  }
  MetricFamily connections = {
      "pando_connections", "Connections that are open, by port", MetricType::Gauge, {}};
  MetricFamily refused = {"pando_connections_refused_total",
                          "Connections that were turned away before any call, by port and reason",
                          MetricType::Counter,
                          {}};
  MetricFamily until = {"pando_certificate_expiry_timestamp_seconds",
                        "When the certificate in use expires, by port, in seconds since 1970",
                        MetricType::Gauge,
                        {}};
  for (const PortNumbers& port : ports) {
    if (port.connections) {
      connections.metric.push_back(Sample(MetricType::Gauge, *port.connections));
      connections.metric.back().label = {{"port", port.port}};
    }
    for (const PortNumbers::Refused& one : port.refused) {
      refused.metric.push_back(Sample(MetricType::Counter, one.count));
      refused.metric.back().label = {{"port", port.port}, {"reason", one.reason}};
    }
    if (port.certificate_until) {
      until.metric.push_back(Sample(MetricType::Gauge, port.certificate_until->ms / 1000));
      until.metric.back().label = {{"port", port.port}};
    }
  }
  for (MetricFamily* family : {&connections, &refused, &until}) {
    families->push_back(std::move(*family));
  }
}

}  // namespace pando::admin
