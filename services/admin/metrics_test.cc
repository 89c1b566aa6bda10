#include "admin/metrics.h"

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/reply.h"

namespace pando::admin {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr base::Instant kNow{seconds(100)};

std::string Line(const std::string& name, const std::string& value) {
  return "\n" + name + " " + value + "\n";
}

TEST(Histogram, AnObservationIsInTheFirstBucketThatHoldsIt) {
  Histogram histogram;
  histogram.Observe(microseconds(5));
  histogram.Observe(microseconds(5) + base::Duration(1));
  histogram.Observe(seconds(60));
  histogram.Observe(seconds(60) + base::Duration(1));
  const prometheus::ClientMetric metric = histogram.Collect();
  const auto& buckets = metric.histogram.bucket;
  ASSERT_EQ(buckets.size(), Histogram::kBounds.size() + 1);
  EXPECT_EQ(buckets[0].cumulative_count, 1u);
  EXPECT_DOUBLE_EQ(buckets[0].upper_bound, 5e-6);
  EXPECT_EQ(buckets[1].cumulative_count, 2u);
  EXPECT_EQ(buckets[buckets.size() - 2].cumulative_count, 3u);
  EXPECT_EQ(buckets.back().cumulative_count, 4u);
  EXPECT_EQ(metric.histogram.sample_count, 4u);
  EXPECT_NEAR(metric.histogram.sample_sum, 120.00001, 1e-6);
}

TEST(Histogram, CountsEveryObservationOfManyThreads) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) histogram.Observe(microseconds(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Collect().histogram.sample_count, 40'000u);
}

TEST(Metrics, AScrapeSaysWhatWasSet) {
  Metrics metrics("1.2.3", {"Get"});
  metrics.Set(Gauge::kRole, static_cast<uint64_t>(model::EnsembleStatus::Role::kLeader));
  metrics.Set(Gauge::kApplied, 120);
  metrics.Set(Gauge::kStored, 100);
  metrics.Add(Counter::kSnapshots);
  metrics.Add(Counter::kWalBytes, 4096);
  metrics.Observe(Timing::kWalSync, milliseconds(3));
  const std::string text = metrics.Scrape(kNow);
  EXPECT_THAT(text, HasSubstr("pando_build_info{version=\"1.2.3\""));
  EXPECT_THAT(text, HasSubstr(Line("pando_raft_role{role=\"leader\"}", "1")));
  EXPECT_THAT(text, HasSubstr(Line("pando_raft_role{role=\"follower\"}", "0")));
  EXPECT_THAT(text, HasSubstr(Line("pando_raft_applied_revision", "120")));
  EXPECT_THAT(text, HasSubstr(Line("pando_store_lag_revisions", "20")));
  EXPECT_THAT(text, HasSubstr(Line("pando_store_snapshots_total", "1")));
  EXPECT_THAT(text, HasSubstr(Line("pando_wal_written_bytes_total", "4096")));
  EXPECT_THAT(text, HasSubstr(Line("pando_wal_sync_seconds_bucket{le=\"0.002\"}", "0")));
  EXPECT_THAT(text, HasSubstr(Line("pando_wal_sync_seconds_bucket{le=\"0.005\"}", "1")));
  EXPECT_THAT(text, HasSubstr("# TYPE pando_wal_sync_seconds histogram"));
}

TEST(Metrics, RequestsAreCountedByMethodAndReason) {
  Metrics metrics("1", {"Set", "Get"});
  metrics.Request("Get", "OK", microseconds(40));
  metrics.Request("Get", "NO_NODE", microseconds(40));
  metrics.Request("Nonsense", "CANCELLED", microseconds(40));
  metrics.Request("Get", "NO_SUCH_REASON", microseconds(40));
  metrics.Request("Get", "", microseconds(40));
  const std::string text = metrics.Scrape(kNow);
  const auto count = [](const std::string& method, const std::string& reason) {
    return "pando_api_requests_total{method=\"" + method + "\",reason=\"" + reason + "\"}";
  };
  EXPECT_THAT(text, HasSubstr(Line(count("Get", "OK"), "1")));
  EXPECT_THAT(text, HasSubstr(Line(count("Get", "NO_NODE"), "1")));
  EXPECT_THAT(text, HasSubstr(Line(count("Get", "OTHER"), "2")));
  EXPECT_THAT(text, HasSubstr(Line(count("other", "CANCELLED"), "1")));
  EXPECT_THAT(text, HasSubstr(Line("pando_api_request_seconds_count{method=\"Get\"}", "4")));
  EXPECT_THAT(text, Not(HasSubstr("method=\"Set\"")));
}

TEST(Metrics, ReadinessIsANumberToo) {
  Metrics metrics("1", {});
  EXPECT_THAT(metrics.Scrape(kNow), HasSubstr(Line("pando_server_ready", "0")));
  metrics.Turned(kNow);
  metrics.Set(Gauge::kLeader, 2);
  metrics.Set(Gauge::kApplied, 5);
  EXPECT_THAT(metrics.Scrape(kNow), HasSubstr(Line("pando_server_ready", "1")));
}

TEST(PeerMetrics, EachPeerHasItsNumbers) {
  Metrics metrics("1", {});
  metrics.peers().SetSource({[] {
                               return std::vector<PeerTraffic>{{.peer = model::ServerId(2),
                                                                .connected = true,
                                                                .queued_bytes = 1,
                                                                .sent_bytes = 2,
                                                                .sent_messages = 3,
                                                                .dropped_messages = 4,
                                                                .received_bytes = 5,
                                                                .received_messages = 6,
                                                                .reconnects = 7},
                                                               {.peer = model::ServerId(3)}};
                             },
                             [] {
                               return std::vector<PeerRefusals>{{"WRONG_CLUSTER", 8}};
                             }});
  metrics.peers().SetProgress({{model::ServerId(2), 9}, {model::ServerId(3), std::nullopt}});
  metrics.peers().ObserveRoundTrip(model::ServerId(2), milliseconds(3));
  const std::string text = metrics.Scrape(kNow);
  const std::vector<std::string> names = {"pando_peer_connected",
                                          "pando_peer_queued_bytes",
                                          "pando_peer_sent_bytes_total",
                                          "pando_peer_sent_messages_total",
                                          "pando_peer_dropped_messages_total",
                                          "pando_peer_received_bytes_total",
                                          "pando_peer_received_messages_total",
                                          "pando_peer_reconnects_total"};
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string value = std::to_string(std::max<size_t>(i, 1));
    EXPECT_THAT(text, HasSubstr(Line(names[i] + "{peer=\"2\"}", value)));
    EXPECT_THAT(text, HasSubstr(Line(names[i] + "{peer=\"3\"}", "0")));
  }
  EXPECT_THAT(text, HasSubstr(Line("pando_peer_refused_total{reason=\"WRONG_CLUSTER\"}", "8")));
  EXPECT_THAT(text, HasSubstr(Line("pando_raft_follower_lag_entries{peer=\"2\"}", "9")));
  EXPECT_THAT(text, Not(HasSubstr("pando_raft_follower_lag_entries{peer=\"3\"}")));
  EXPECT_THAT(text, HasSubstr(Line("pando_peer_round_trip_seconds_count{peer=\"2\"}", "1")));
}

// Or the labels would grow with every server that ever was a member.
TEST(PeerMetrics, WhoIsNoMemberAnyMoreIsForgotten) {
  Metrics metrics("1", {});
  metrics.peers().SetProgress({{model::ServerId(2), 9}});
  metrics.peers().ObserveRoundTrip(model::ServerId(2), milliseconds(3));
  metrics.peers().ObserveRoundTrip(model::ServerId(4), milliseconds(3));
  metrics.peers().SetProgress({{model::ServerId(3), 1}});
  const std::string text = metrics.Scrape(kNow);
  EXPECT_THAT(text, Not(HasSubstr("peer=\"2\"")));
  EXPECT_THAT(text, Not(HasSubstr("peer=\"4\"")));
  EXPECT_THAT(text, HasSubstr(Line("pando_peer_round_trip_seconds_count{peer=\"3\"}", "0")));
}

TEST(Metrics, TheProcessSaysWhatItUses) {
  const std::string text = Metrics("1", {}).Scrape(kNow);
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
                           "process_virtual_memory_bytes", "process_resident_memory_bytes"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " ")) << name;
    EXPECT_THAT(text, Not(HasSubstr(Line(name, "0")))) << name;
  }
}

}  // namespace
}  // namespace pando::admin
