// Metrics: the numbers that this server tells of itself, for Prometheus and for its own health.
//
// Written from any thread, the core thread among them, without a lock; read by a scrape, which
// turns them into text. Thread-safe. docs/metrics.md describes each; a test compares the two.
#ifndef PANDO_ADMIN_METRICS_H_
#define PANDO_ADMIN_METRICS_H_

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/histogram.h"
#include "admin/peer_metrics.h"
#include "admin/port_metrics.h"
#include "base/time.h"

namespace pando::admin {

// What is at the moment.
enum class Gauge : uint8_t {
  kRole,  // model::EnsembleStatus::Role as a number; 0 before the first turn of the core loop
  kLeader,
  kTerm,
  kCommitted,
  kApplied,
  kStored,
  kReadyAt,
  kUnstoredBytes,
  kNodes,
  kNodeBytes,
  kEphemerals,
  kSessions,
  kStreams,
  kWatches,
  kPendingRequests,
  kDiskFree,
  kNoSpace,
  kOverloaded,
  kMembers,
  kMembersHeard,
  kLearners,
  kLearnersHeard,
  kPendingProposals,
  kUncommittedBytes,
  kGaugeCount
};

// What has happened since the start.
enum class Counter : uint8_t {
  kTurns,
  kAppliedEntries,
  kWalBytes,
  kWalSegmentsDeleted,
  kStoreBytes,
  kChangesSegmentsDeleted,
  kSnapshots,
  kWatchEvents,
  kLoggedEvents,
  kElections,
  kLeaderChanges,
  kForwardedProposals,
  kHeartbeatFailures,
  kDigestMismatches,
  kSnapshotSentBytes,
  kSnapshotReceivedBytes,
  kSnapshotSendFailures,
  kSnapshotReceiveFailures,
  kCounterCount
};

// How long something takes.
enum class Timing : uint8_t {
  kWalSync,
  kCommit,
  kApply,
  kStoreWrite,
  kSnapshot,
  kWatchDelivery,
  kSnapshotSend,
  kSnapshotReceive,
  kTimingCount
};

class Metrics {
 public:
  // `methods`: what Request may be called with; anything else counts as "other".
  Metrics(std::string version, std::vector<std::string> methods);
  ~Metrics();

  void Set(Gauge gauge, uint64_t value) {
    gauges_[static_cast<size_t>(gauge)].store(value, std::memory_order_relaxed);
  }
  uint64_t Get(Gauge gauge) const {
    return gauges_[static_cast<size_t>(gauge)].load(std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const {
    return counters_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  void Add(Counter counter, uint64_t amount = 1) {
    counters_[static_cast<size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
  }
  // For what somebody else counts since the start.
  void SetTotal(Counter counter, uint64_t total) {
    counters_[static_cast<size_t>(counter)].store(total, std::memory_order_relaxed);
  }
  void Observe(Timing timing, base::Duration duration) {
    timings_[static_cast<size_t>(timing)].Observe(duration);
  }
  // One call of a method that ended for this reason: model::ReasonName's, or "CANCELLED".
  void Request(std::string_view method, std::string_view reason, base::Duration duration);

  // The core loop turned; told before it waits, too. /healthz looks at how long ago that was.
  void Turned(base::Instant now) {
    last_turn_ns_.store(now.since_start.count(), std::memory_order_relaxed);
    Add(Counter::kTurns);
  }
  base::Instant last_turn() const {
    return {base::Duration(last_turn_ns_.load(std::memory_order_relaxed))};
  }

  PeerMetrics& peers() { return peers_; }
  PortMetrics& ports() { return ports_; }

  // All of it, the process's own numbers too, in Prometheus' text format.
  std::string Scrape(base::Instant now) const;

 private:
  struct Method;

  void CollectGauges(std::vector<prometheus::MetricFamily>* families) const;
  void CollectRequests(std::vector<prometheus::MetricFamily>* families) const;

  const std::string version_;
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Gauge::kGaugeCount)> gauges_{};
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCounterCount)> counters_{};
  std::array<Histogram, static_cast<size_t>(Timing::kTimingCount)> timings_;
  std::atomic<int64_t> last_turn_ns_{0};
  PeerMetrics peers_;
  PortMetrics ports_;
  const std::vector<std::unique_ptr<Method>> methods_;  // by name; never changes
};

}  // namespace pando::admin

#endif  // PANDO_ADMIN_METRICS_H_
