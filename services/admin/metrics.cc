#include "admin/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "admin/health.h"
#include "admin/process.h"
#include "admin/samples.h"
#include "base/check.h"
#include "model/reply.h"

namespace pando::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Described {
  const char* name;
  const char* help;
};

// In the order of the enumerations.
constexpr Described kGauges[] = {
    {"pando_raft_role", "1 for the role that this server has, 0 for the others"},
    {"pando_raft_leader_id", "Id of the server that this one follows or is; 0: none is known"},
    {"pando_raft_term", "Raft's term"},
    {"pando_raft_committed_revision", "Newest revision that a majority has on disk"},
    {"pando_raft_applied_revision", "Newest revision that reads see"},
    {"pando_store_stored_revision", "Newest revision whose state is in LevelDB"},
    {"pando_raft_ready_at_revision", "Revision that has to be applied for /readyz"},
    {"pando_store_unstored_bytes", "Changes of state that are applied and not yet in LevelDB"},
    {"pando_tree_nodes", "Nodes of the tree, the root too"},
    {"pando_tree_data_bytes", "Bytes of data in all nodes"},
    {"pando_tree_ephemeral_nodes", "Nodes that end with their session"},
    {"pando_session_sessions", "Sessions that are open"},
    {"pando_watch_streams", "Streams of watch events on this server"},
    {"pando_watch_targets", "Targets of all those streams"},
    {"pando_core_pending_requests", "Requests that are not answered yet"},
    {"pando_disk_free_bytes", "Bytes that may still be written where the data dir is"},
    {"pando_disk_no_space", "1 while writes are refused with NO_SPACE"},
    {"pando_core_overloaded", "1 while writes are refused with OVERLOADED"},
    {"pando_raft_members", "Members of the ensemble, this server too"},
    {"pando_raft_members_heard",
     "Those of them that have a channel open to this server, and itself"},
    {"pando_raft_learners", "Members that do not vote"},
    {"pando_raft_learners_heard", "Those of them that are heard"},
    {"pando_raft_pending_proposals", "Writes taken here that are not applied here yet"},
    {"pando_raft_uncommitted_bytes", "Bytes of this leader's log that no majority has on disk yet"},
};
constexpr Described kCounters[] = {
    {"pando_core_turns_total", "Turns of the core loop"},
    {"pando_machine_applied_entries_total", "Log entries applied since the start"},
    {"pando_wal_written_bytes_total", "Bytes written to the write-ahead log"},
    {"pando_wal_deleted_segments_total", "Segments of the log that were no longer needed"},
    {"pando_store_written_bytes_total", "Bytes of state written to LevelDB"},
    {"pando_changes_deleted_segments_total", "Segments of the change log that were trimmed"},
    {"pando_store_snapshots_total", "Snapshots of the whole state that were completed"},
    {"pando_watch_events_total", "Watch events written to streams"},
    {"pando_core_events_total", "Events of the ensemble's life: elections, expired sessions, …"},
    {"pando_raft_elections_total", "Elections in which this server stood"},
    {"pando_raft_leader_changes_total", "Times that another server than before was seen to lead"},
    {"pando_raft_forwarded_proposals_total", "Writes sent on to the leader, repetitions too"},
    {"pando_raft_heartbeat_failures_total",
     "Heartbeats of this leader that a member had not answered when the next one was due"},
    {"pando_raft_digest_mismatches_total",
     "Reports of members that their state is another than this leader's"},
    {"pando_peer_snapshot_sent_bytes_total", "Bytes of snapshots sent to members"},
    {"pando_peer_snapshot_received_bytes_total", "Bytes of snapshots that members sent"},
    {"pando_peer_snapshot_send_failures_total", "Snapshots that a member did not take"},
    {"pando_peer_snapshot_receive_failures_total", "Snapshots of members that were not taken"},
};
constexpr Described kTimings[] = {
    {"pando_wal_sync_seconds", "Syncs of the write-ahead log"},
    {"pando_raft_commit_seconds", "From the arrival of a write to its commit"},
    {"pando_machine_apply_seconds", "Applying one batch of committed entries"},
    {"pando_store_write_seconds", "Writing one batch of state to LevelDB, synced"},
    {"pando_store_snapshot_seconds", "Writing one snapshot of the whole state"},
    {"pando_watch_delivery_seconds", "From the apply of a change to its event on the wire"},
    {"pando_peer_snapshot_send_seconds", "Sending one snapshot until the member has it on disk"},
    {"pando_peer_snapshot_receive_seconds", "Receiving one snapshot until it is on disk"},
};
static_assert(std::size(kGauges) == static_cast<size_t>(Gauge::kGaugeCount));
static_assert(std::size(kCounters) == static_cast<size_t>(Counter::kCounterCount));
static_assert(std::size(kTimings) == static_cast<size_t>(Timing::kTimingCount));

// How a request can end, as the API tells its clients; what is none of these counts as the last.
const std::vector<std::string>& Reasons() {
  static const std::vector<std::string> reasons = [] {
    std::vector<std::string> names;
    for (uint8_t i = 0; i <= static_cast<uint8_t>(model::Reason::kConfigInProgress); ++i) {
      names.push_back(model::ReasonName(static_cast<model::Reason>(i)));
    }
    names.push_back("CANCELLED");
    names.push_back("OTHER");
    return names;
  }();
  return reasons;
}
constexpr size_t kReasonsMax = 32;

constexpr char kOtherMethod[] = "other";

using Role = model::EnsembleStatus::Role;
constexpr std::pair<Role, const char*> kRoles[] = {{Role::kLeader, "leader"},
                                                   {Role::kFollower, "follower"},
                                                   {Role::kLearner, "learner"},
                                                   {Role::kCandidate, "candidate"}};

ClientMetric GaugeOf(auto value) { return Sample(MetricType::Gauge, value); }
ClientMetric CounterOf(auto value) { return Sample(MetricType::Counter, value); }

MetricFamily Family(const Described& described, MetricType type) {
  return {described.name, described.help, type, {}};
}

}  // namespace

struct Metrics::Method {
  explicit Method(std::string n) : name(std::move(n)) {}

  const std::string name;
  Histogram seconds;
  std::array<std::atomic<uint64_t>, kReasonsMax> by_reason{};
};

namespace {

// Sorted, so that Request finds a method without a lock and without a copy of its name.
template <class Method>
std::vector<std::unique_ptr<Method>> MakeMethods(std::vector<std::string> names) {
  names.push_back(kOtherMethod);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<std::unique_ptr<Method>> methods;
  for (std::string& name : names) methods.push_back(std::make_unique<Method>(std::move(name)));
  return methods;
}

template <class Methods>
auto& FindMethod(const Methods& methods, std::string_view name) {
  const auto found =
      std::lower_bound(methods.begin(), methods.end(), name,
                       [](const auto& method, std::string_view n) { return method->name < n; });
  if (found != methods.end() && (*found)->name == name) return **found;
  return FindMethod(methods, kOtherMethod);
}

}  // namespace

Metrics::Metrics(std::string version, std::vector<std::string> methods)
    : version_(std::move(version)), methods_(MakeMethods<Method>(std::move(methods))) {}

Metrics::~Metrics() = default;

void Metrics::Request(std::string_view method_name, std::string_view reason,
                      base::Duration duration) {
  Method& method = FindMethod(methods_, method_name);
  const std::vector<std::string>& reasons = Reasons();
  CHECK(reasons.size() <= kReasonsMax);
  const auto known = std::find(reasons.begin(), reasons.end() - 1, reason);
  method.seconds.Observe(duration);
  method.by_reason[static_cast<size_t>(known - reasons.begin())].fetch_add(
      1, std::memory_order_relaxed);
}

void Metrics::CollectGauges(std::vector<MetricFamily>* families) const {
  for (size_t i = 0; i < std::size(kGauges); ++i) {
    MetricFamily family = Family(kGauges[i], MetricType::Gauge);
    if (static_cast<Gauge>(i) == Gauge::kRole) {
      for (const auto& [role, name] : kRoles) {
        const bool has = Get(Gauge::kRole) == static_cast<uint64_t>(role);
        family.metric.push_back(GaugeOf(has ? 1 : 0));
        family.metric.back().label = {{"role", name}};
      }
    } else {
      family.metric.push_back(GaugeOf(Get(static_cast<Gauge>(i))));
    }
    families->push_back(std::move(family));
  }
  // Read in this order, the stored revision cannot be the newer one.
  const uint64_t stored = Get(Gauge::kStored);
  const uint64_t applied = std::max(stored, Get(Gauge::kApplied));
  families->push_back({"pando_store_lag_revisions",
                       "Revisions that are applied and not yet in LevelDB",
                       MetricType::Gauge,
                       {GaugeOf(applied - stored)}});
  MetricFamily build = {"pando_build_info", "1; the labels say it", MetricType::Gauge, {}};
  build.metric.push_back(GaugeOf(1));
  build.metric.back().label = {{"version", version_}, {"compiler", __VERSION__}};
  families->push_back(std::move(build));
}

// A method that was never called is left out: 40 methods of 22 buckets would be most of a scrape.
void Metrics::CollectRequests(std::vector<MetricFamily>* families) const {
  MetricFamily seconds = {"pando_api_request_seconds",
                          "From a request's arrival to its answer, by method",
                          MetricType::Histogram,
                          {}};
  MetricFamily total = {"pando_api_requests_total",
                        "Requests answered, by method and reason",
                        MetricType::Counter,
                        {}};
  for (const std::unique_ptr<Method>& method : methods_) {
    ClientMetric histogram = method->seconds.Collect();
    if (histogram.histogram.sample_count == 0) continue;
    histogram.label = {{"method", method->name}};
    seconds.metric.push_back(std::move(histogram));
    for (size_t reason = 0; reason < Reasons().size(); ++reason) {
      const uint64_t count = method->by_reason[reason].load(std::memory_order_relaxed);
      if (count == 0) continue;
      total.metric.push_back(CounterOf(count));
      total.metric.back().label = {{"method", method->name}, {"reason", Reasons()[reason]}};
    }
  }
  families->push_back(std::move(seconds));
  families->push_back(std::move(total));
}

std::string Metrics::Scrape(base::Instant now) const {
  std::vector<MetricFamily> families;
  families.push_back({"pando_server_ready",
                      "1 while clients should be sent here, as /readyz says",
                      MetricType::Gauge,
                      {GaugeOf(AllOk(CheckReady(*this, now)) ? 1 : 0)}});
  CollectGauges(&families);
  peers_.Collect(&families);
  ports_.Collect(&families);
  for (size_t i = 0; i < std::size(kCounters); ++i) {
    MetricFamily family = Family(kCounters[i], MetricType::Counter);
    family.metric.push_back(CounterOf(counters_[i].load(std::memory_order_relaxed)));
    families.push_back(std::move(family));
  }
  for (size_t i = 0; i < std::size(kTimings); ++i) {
    MetricFamily family = Family(kTimings[i], MetricType::Histogram);
    family.metric.push_back(timings_[i].Collect());
    families.push_back(std::move(family));
  }
  CollectRequests(&families);
  for (const ProcessNumber& number : ReadProcessNumbers()) {
    families.push_back({number.name,
                        number.help,
                        number.is_counter ? MetricType::Counter : MetricType::Gauge,
                        {number.is_counter ? CounterOf(number.value) : GaugeOf(number.value)}});
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace pando::admin
