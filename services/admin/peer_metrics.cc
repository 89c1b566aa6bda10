#include "admin/peer_metrics.h"

#include <utility>

#include "admin/samples.h"

namespace pando::admin {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

struct TrafficFamily {
  const char* name;
  const char* help;
  MetricType type;
  uint64_t (*value)(const PeerTraffic& traffic);
};
constexpr TrafficFamily kTraffic[] = {
    {"pando_peer_connected", "1 while this server has a channel open to the peer",
     MetricType::Gauge, [](const PeerTraffic& t) { return uint64_t{t.connected}; }},
    {"pando_peer_queued_bytes", "Bytes that wait to be written to the peer", MetricType::Gauge,
     [](const PeerTraffic& t) { return t.queued_bytes; }},
    {"pando_peer_sent_bytes_total", "Bytes of messages written to the peer", MetricType::Counter,
     [](const PeerTraffic& t) { return t.sent_bytes; }},
    {"pando_peer_sent_messages_total", "Messages for the peer that were queued",
     MetricType::Counter, [](const PeerTraffic& t) { return t.sent_messages; }},
    {"pando_peer_dropped_messages_total", "Messages for the peer while there was no channel",
     MetricType::Counter, [](const PeerTraffic& t) { return t.dropped_messages; }},
    {"pando_peer_received_bytes_total", "Bytes of messages that the peer sent", MetricType::Counter,
     [](const PeerTraffic& t) { return t.received_bytes; }},
    {"pando_peer_received_messages_total", "Messages that the peer sent", MetricType::Counter,
     [](const PeerTraffic& t) { return t.received_messages; }},
    {"pando_peer_reconnects_total", "Channels to the peer that were opened after the first",
     MetricType::Counter, [](const PeerTraffic& t) { return t.reconnects; }},
};

prometheus::ClientMetric::Label LabelOf(model::ServerId peer) {
  return {"peer", std::to_string(peer.value())};
}

}  // namespace

void PeerMetrics::SetSource(Source source) {
  base::MutexLock lock(&source_mutex_);
  source_ = std::move(source);
}

void PeerMetrics::SetProgress(std::vector<PeerProgress> progress) {
  base::MutexLock lock(&mutex_);
  auto before = std::exchange(round_trips_, {});
  for (const PeerProgress& one : progress) {
    std::unique_ptr<Histogram>& round_trips = before[one.peer];
    if (round_trips == nullptr) round_trips = std::make_unique<Histogram>();
    round_trips_[one.peer] = std::move(round_trips);
  }
  progress_ = std::move(progress);
}

void PeerMetrics::ObserveRoundTrip(model::ServerId peer, base::Duration taken) {
  base::MutexLock lock(&mutex_);
  const auto found = round_trips_.find(peer);
  if (found != round_trips_.end()) found->second->Observe(taken);
}

void PeerMetrics::CollectSource(std::vector<MetricFamily>* families) const {
  base::MutexLock lock(&source_mutex_);
  std::vector<PeerTraffic> all;
  if (source_.traffic) all = source_.traffic();
  for (const TrafficFamily& described : kTraffic) {
    MetricFamily family = {described.name, described.help, described.type, {}};
    for (const PeerTraffic& traffic : all) {
      family.metric.push_back(Sample(described.type, described.value(traffic)));
      family.metric.back().label = {LabelOf(traffic.peer)};
    }
    families->push_back(std::move(family));
  }
  MetricFamily refused = {"pando_peer_refused_total",
                          "Callers that were turned away at the peer port, by reason",
                          MetricType::Counter,
                          {}};
  std::vector<PeerRefusals> refusals;
  if (source_.refusals) refusals = source_.refusals();
  for (const PeerRefusals& one : refusals) {
    refused.metric.push_back(Sample(MetricType::Counter, one.count));
    refused.metric.back().label = {{"reason", one.reason}};
  }
  families->push_back(std::move(refused));
}

void PeerMetrics::CollectProgress(std::vector<MetricFamily>* families) const {
  base::MutexLock lock(&mutex_);
  MetricFamily round_trips = {
      "pando_peer_round_trip_seconds",
      "From a word to the peer to its answer, the peer's own time taken off",
      MetricType::Histogram,
      {}};
  for (const auto& [peer, histogram] : round_trips_) {
    round_trips.metric.push_back(histogram->Collect());
    round_trips.metric.back().label = {LabelOf(peer)};
  }
  families->push_back(std::move(round_trips));

  MetricFamily lag = {"pando_raft_follower_lag_entries",
                      "Entries of this leader's log that the follower does not have on disk",
                      MetricType::Gauge,
                      {}};
  for (const PeerProgress& one : progress_) {
    if (!one.lag_entries) continue;
    lag.metric.push_back(Sample(MetricType::Gauge, *one.lag_entries));
    lag.metric.back().label = {LabelOf(one.peer)};
  }
  families->push_back(std::move(lag));
}

void PeerMetrics::Collect(std::vector<MetricFamily>* families) const {
  CollectSource(families);
  CollectProgress(families);
}

}  // namespace pando::admin
