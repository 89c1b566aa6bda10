#include "bench/bench.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "bench/clients.h"
#include "bench/lock_load.h"
#include "bench/process_usage.h"
#include "bench/pump.h"
#include "bench/watch_load.h"

namespace pando::load {
namespace {

// While nodes are made that nobody measures.
constexpr size_t kOutstandingToPrepare = 16;

Workload::Kind WorkloadOf(Load load) {
  switch (load) {
    case Load::kCreate:
      return Workload::Kind::kCreate;
    case Load::kSet:
      return Workload::Kind::kSet;
    case Load::kGet:
      return Workload::Kind::kGet;
    case Load::kMixed:
      return Workload::Kind::kMixed;
    case Load::kList:
      return Workload::Kind::kList;
    case Load::kMulti:
      return Workload::Kind::kMulti;
    case Load::kSession:
      return Workload::Kind::kSession;
    case Load::kWatch:
    case Load::kLock:
      return Workload::Kind::kWatched;
  }
  CHECK(false);
}

bool WorksOnNodes(Load load) {
  return load != Load::kSession && load != Load::kLock && load != Load::kWatch;
}

absl::Status Check(const BenchOptions& options) {
  const bool pipelined = options.protocol == Protocol::kPipeline;
  const bool zookeeper = options.protocol == Protocol::kZooKeeper;
  if (options.load == Load::kMulti && options.nodes < options.multi_writes) {
    return absl::InvalidArgumentError("a multi writes different nodes: --nodes is too small");
  }
  if (zookeeper && options.linearizable) {
    return absl::InvalidArgumentError("ZooKeeper has no linearizable reads");
  }
  switch (options.load) {
    case Load::kSession:
      if (zookeeper && options.outstanding > 1) {
        return absl::InvalidArgumentError(
            "a session of ZooKeeper is a connection: there is one --outstanding");
      }
      break;
    case Load::kLock:
      if (options.connections < 2) {
        return absl::InvalidArgumentError("a lock is handed over between two --connections");
      }
      if (options.outstanding > 1 || options.rate > 0) {
        return absl::InvalidArgumentError("a connection contends for the lock once, at no --rate");
      }
      break;
    case Load::kWatch:
      if (options.watches < options.connections) {
        return absl::InvalidArgumentError("each of the --connections needs one of the --watches");
      }
      if (zookeeper && options.watches > options.connections) {
        return absl::InvalidArgumentError(
            "a connection of ZooKeeper watches a node once: as many --watches as --connections");
      }
      if (options.outstanding > 1 && !pipelined && !zookeeper) {
        return absl::InvalidArgumentError(
            "this protocol may apply writes in another order: watch takes one --outstanding");
      }
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

// One measurement under way.
class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}

  absl::StatusOr<BenchReport> Run();

 private:
  absl::Status Prepare();
  absl::Status PrepareWith(Workload::Kind kind, const std::string& root, size_t connections,
                           size_t outstanding);
  absl::StatusOr<BenchReport> Measure();
  absl::Status TakeUsage(ProcessUsage* client, ProcessUsage* servers);

  Workload::Options WorkloadOptions(std::string root) const {
    return {std::move(root), options_.run, options_.nodes, options_.data_bytes,
            std::min<size_t>(options_.multi_writes, options_.nodes)};
  }
  // The node that is locked or watched has a name of its own.
  std::string RootOfLoad() const {
    if (options_.load == Load::kLock) return options_.root + "/lock";
    if (options_.load == Load::kWatch) return options_.root + "/watched";
    return options_.root;
  }

  const BenchOptions& options_;
  Loop loop_;
  std::optional<Clients> clients_;
};

absl::StatusOr<BenchReport> Bench::Run() {
  PANDO_RETURN_IF_ERROR(UsageOf(options_.servers).status());
  ClientsOptions clients{.protocol = options_.protocol,
                         .endpoints = options_.endpoints,
                         .connections = options_.connections,
                         .linearizable = options_.linearizable,
                         .needs_session = options_.load == Load::kLock,
                         .timeout = options_.timeout};
  if (options_.load == Load::kWatch) ++clients.connections;
  clients_.emplace(&loop_);
  PANDO_RETURN_IF_ERROR(clients_->Connect(clients));
  if (!options_.prepared) PANDO_RETURN_IF_ERROR(Prepare());
  absl::StatusOr<BenchReport> report = Measure();
  if (report.ok()) PANDO_RETURN_IF_ERROR(clients_->Leave());
  return report;
}

absl::Status Bench::Prepare() {
  PANDO_RETURN_IF_ERROR(PrepareWith(Workload::Kind::kAncestors, RootOfLoad(), 1, 1));
  if (!WorksOnNodes(options_.load)) return absl::OkStatus();
  const size_t all = clients_->all().size();
  PANDO_RETURN_IF_ERROR(
      PrepareWith(Workload::Kind::kDirectories, options_.root, all, kOutstandingToPrepare));
  if (options_.load == Load::kCreate) return absl::OkStatus();
  return PrepareWith(Workload::Kind::kCreate, options_.root, all, kOutstandingToPrepare);
}

absl::Status Bench::PrepareWith(Workload::Kind kind, const std::string& root, size_t connections,
                                size_t outstanding) {
  const Workload workload(kind, WorkloadOptions(root));
  Pump pump(
      &loop_, clients_->First(connections), workload,
      {.outstanding = outstanding, .silence_max = options_.timeout, .sets_what_exists = true});
  const absl::StatusOr<Tally> tally = pump.Run();
  if (!tally.ok()) return tally.status();
  if (tally->failed() > 0) {
    return absl::UnknownError(absl::StrCat("cannot make the nodes: ", tally->first_failure()));
  }
  return absl::OkStatus();
}

absl::StatusOr<BenchReport> Bench::Measure() {
  ProcessUsage client_before;
  ProcessUsage servers_before;
  absl::Status usage;
  PumpOptions pump{.outstanding = options_.outstanding,
                   .rate = options_.rate,
                   .warmup = options_.warmup,
                   .duration = options_.duration,
                   .operations = options_.operations,
                   .silence_max = options_.timeout,
                   .on_begin = [&] { usage = TakeUsage(&client_before, &servers_before); }};
  const Workload workload(WorkloadOf(options_.load), WorkloadOptions(RootOfLoad()));
  std::optional<BenchReport> report;
  if (options_.load == Load::kWatch) {
    Connection* const writer = clients_->all().back();
    auto tallies = RunWatchLoad(&loop_, clients_->First(options_.connections), options_.watches,
                                writer, workload, std::move(pump));
    if (!tallies.ok()) return tallies.status();
    report.emplace(BenchReport{std::move(tallies->writes), std::move(tallies->events)});
  } else {
    auto tally = options_.load == Load::kLock
                     ? RunLockLoad(&loop_, clients_->all(), RootOfLoad(), std::move(pump))
                     : Pump(&loop_, clients_->all(), workload, std::move(pump)).Run();
    if (!tally.ok()) return tally.status();
    report.emplace(BenchReport{*std::move(tally), std::nullopt});
  }
  PANDO_RETURN_IF_ERROR(usage);
  if (report->operations.answered() == 0 && report->operations.unsent() == 0) {
    return absl::InvalidArgumentError("nothing was measured: all was over within the --warmup");
  }
  ProcessUsage client;
  ProcessUsage servers;
  PANDO_RETURN_IF_ERROR(TakeUsage(&client, &servers));
  report->client_cpu_seconds = client.cpu_seconds - client_before.cpu_seconds;
  report->servers_cpu_seconds = servers.cpu_seconds - servers_before.cpu_seconds;
  report->servers_resident_bytes = servers.resident_bytes;
  report->servers_resident_bytes_max = servers.resident_bytes_max;
  return *std::move(report);
}

absl::Status Bench::TakeUsage(ProcessUsage* client, ProcessUsage* servers) {
  absl::StatusOr<ProcessUsage> taken = UsageOf({::getpid()});
  if (!taken.ok()) return taken.status();
  *client = *taken;
  taken = UsageOf(options_.servers);
  if (!taken.ok()) return taken.status();
  *servers = *taken;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BenchReport> RunBench(const BenchOptions& options) {
  PANDO_RETURN_IF_ERROR(Check(options));
  return Bench(options).Run();
}

}  // namespace pando::load
