// PeerMetrics: the numbers that have a label `peer`, or say why a peer was refused.
//
// Labels are bounded: a peer is a member of the ensemble, or speaks to this server and is none, of
// which there are few. Fed by the core thread, read by a scrape. Thread-safe.
#ifndef PANDO_ADMIN_PEER_METRICS_H_
#define PANDO_ADMIN_PEER_METRICS_H_

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/histogram.h"
#include "base/mutex.h"
#include "base/time.h"
#include "model/ids.h"

namespace pando::admin {

// The channels to and from one peer, since the start.
struct PeerTraffic {
  model::ServerId peer;
  bool connected = false;
  uint64_t queued_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t sent_messages = 0;
  uint64_t dropped_messages = 0;
  uint64_t received_bytes = 0;
  uint64_t received_messages = 0;
  uint64_t reconnects = 0;
};
struct PeerRefusals {
  std::string reason;
  uint64_t count = 0;
};
// As the core sees it.
struct PeerProgress {
  model::ServerId peer;
  std::optional<uint64_t> lag_entries;  // told by a leader only
};

class PeerMetrics {
 public:
  struct Source {
    std::function<std::vector<PeerTraffic>()> traffic;
    std::function<std::vector<PeerRefusals>()> refusals;
  };

  // Asked at every scrape; none any more once a call with an empty Source has returned.
  void SetSource(Source source) PANDO_EXCLUDES(source_mutex_);
  // The other members. What was observed of others is forgotten.
  void SetProgress(std::vector<PeerProgress> progress) PANDO_EXCLUDES(mutex_);
  // Dropped if the peer was not in SetProgress.
  void ObserveRoundTrip(model::ServerId peer, base::Duration taken) PANDO_EXCLUDES(mutex_);

  void Collect(std::vector<prometheus::MetricFamily>* families) const
      PANDO_EXCLUDES(source_mutex_, mutex_);

 private:
  void CollectSource(std::vector<prometheus::MetricFamily>* families) const
      PANDO_EXCLUDES(source_mutex_);
  void CollectProgress(std::vector<prometheus::MetricFamily>* families) const
      PANDO_EXCLUDES(mutex_);

  // Held while the source is asked; the core never waits for that.
  mutable base::Mutex source_mutex_;
  Source source_ PANDO_GUARDED_BY(source_mutex_);
  mutable base::Mutex mutex_;
  std::vector<PeerProgress> progress_ PANDO_GUARDED_BY(mutex_);
  std::map<model::ServerId, std::unique_ptr<Histogram>> round_trips_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::admin

#endif  // PANDO_ADMIN_PEER_METRICS_H_
