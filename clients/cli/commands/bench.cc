#include "cli/commands/bench.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "bench/bench.h"
#include "bench/workload.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;

const std::map<std::string, load::Load> kLoads = {
    {"create", load::Load::kCreate},   {"set", load::Load::kSet},   {"get", load::Load::kGet},
    {"mixed", load::Load::kMixed},     {"list", load::Load::kList}, {"multi", load::Load::kMulti},
    {"session", load::Load::kSession}, {"lock", load::Load::kLock}, {"watch", load::Load::kWatch}};
const std::map<std::string, load::Protocol> kProtocols = {{"pipeline", load::Protocol::kPipeline},
                                                          {"unary", load::Protocol::kUnary},
                                                          {"zookeeper", load::Protocol::kZooKeeper},
                                                          {"etcd", load::Protocol::kEtcd}};

constexpr char kFooter[] = R"(
Workloads: create (nodes, each once), set and get (random nodes), mixed (80 % gets, 20 % sets), list
(a directory of 100 nodes), multi (sets --multi-writes nodes at once), session (opens one, makes an
ephemeral node, closes it), lock (all connections contend for one: the latency is that of a
hand-over, from the release that was sent to the next holder who knows), watch (all connections
watch one node and one more sets it: events count from when the write was sent). For what one client
waits for: --connections 1 --outstanding 1.

With --rate operations fall due at a steady rate, and their latency counts from then on, sent or
not: a server that stalls is not spared what would have come meanwhile. Without, each connection
keeps --outstanding operations under way.

What it needs, it makes under --root, and leaves there. It speaks no TLS, shows no credentials.)";

// As they were given.
struct BenchArguments {
  load::BenchOptions options;
  std::string workload;
  std::string protocol = "pipeline";
  std::optional<milliseconds> warmup;
  std::optional<milliseconds> duration;
  std::optional<size_t> outstanding;
  std::optional<uint64_t> nodes;
};

// What holds where nothing is said.
constexpr size_t kOutstanding = 16;
constexpr uint64_t kNodesOfCreate = 1'000'000;

size_t OutstandingOf(load::Load load) {
  switch (load) {
    case load::Load::kSession:
    case load::Load::kLock:
    case load::Load::kWatch:
      return 1;
    default:
      return kOutstanding;
  }
}

// The defaults of --endpoints are those of Pando's own API.
std::vector<std::string> EndpointsOf(const Globals& globals, load::Protocol protocol) {
  if (globals.endpoints != Globals().endpoints) return globals.endpoints;
  switch (protocol) {
    case load::Protocol::kZooKeeper:
      return {"127.0.0.1:7403", "127.0.0.1:7413", "127.0.0.1:7423"};
    case load::Protocol::kEtcd:
      return {"127.0.0.1:2379"};
    default:
      return globals.endpoints;
  }
}

absl::StatusOr<load::BenchOptions> OptionsOf(const CommandLine& line, BenchArguments arguments) {
  const Globals& globals = line.globals;
  if (globals.tls.on() || !globals.credentials.empty()) {
    return absl::InvalidArgumentError("bench speaks no TLS and shows no credentials");
  }
  load::BenchOptions options = std::move(arguments.options);
  options.load = kLoads.at(arguments.workload);
  options.protocol = kProtocols.at(arguments.protocol);
  options.endpoints = EndpointsOf(globals, options.protocol);
  options.linearizable = globals.linearizable;
  options.timeout = globals.timeout.value_or(Globals::kTimeout);
  options.outstanding = arguments.outstanding.value_or(OutstandingOf(options.load));
  if (arguments.nodes) {
    options.nodes = *arguments.nodes;
  } else if (options.load == load::Load::kCreate) {
    options.nodes = kNodesOfCreate;
  }
  if (options.watches == 0) options.watches = options.connections;
  if (arguments.warmup) options.warmup = *arguments.warmup;
  if (arguments.duration) options.duration = *arguments.duration;
  if (options.duration == base::Duration(0)) {
    return absl::InvalidArgumentError("a measurement lasts longer than a --duration of 0");
  }
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  options.run = absl::StrCat(absl::Hex(since_1970.count()));
  if (options.root.empty()) {
    options.root = options.load == load::Load::kCreate ? "/bench/create-" + options.run : "/bench";
  }
  return options;
}

double Milliseconds(base::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Adds what came of operations; the names begin with `prefix`.
void PutTally(const std::string& prefix, const load::Tally& tally, Json* json) {
  (*json)[prefix + "s"] = tally.answered();
  (*json)[prefix + "s_per_second"] = tally.per_second();
  const load::Latencies& latencies = tally.latencies();
  const auto put = [&](const char* name, base::Duration duration) {
    (*json)[prefix + name] = Milliseconds(duration);
  };
  put("_p50_ms", latencies.Quantile(0.5));
  put("_p90_ms", latencies.Quantile(0.9));
  put("_p99_ms", latencies.Quantile(0.99));
  put("_p999_ms", latencies.Quantile(0.999));
  put("_max_ms", latencies.max());
}

Json ReportJson(const BenchArguments& arguments, const load::BenchOptions& options,
                const load::BenchReport& report) {
  const load::Tally& tally = report.operations;
  Json json = {{"workload", arguments.workload},
               {"protocol", arguments.protocol},
               {"connections", options.connections},
               {"outstanding", options.outstanding},
               {"seconds", Milliseconds(tally.elapsed()) / 1e3}};
  PutTally("operation", tally, &json);
  json["lowest_second"] = tally.lowest_second();
  json["failed"] = tally.failed();
  if (options.rate > 0) json["unsent"] = tally.unsent();
  if (report.events) PutTally("event", *report.events, &json);
  const double operations = std::max<double>(1, static_cast<double>(tally.answered()));
  json["client_cpu_us_per_operation"] = report.client_cpu_seconds * 1e6 / operations;
  if (!options.servers.empty()) {
    json["servers_cpu_us_per_operation"] = report.servers_cpu_seconds * 1e6 / operations;
    json["servers_cpu_seconds_per_100000_operations"] =
        report.servers_cpu_seconds * 1e5 / operations;
    json["servers_resident_bytes"] = report.servers_resident_bytes;
    json["servers_resident_bytes_max"] = report.servers_resident_bytes_max;
  }
  return json;
}

std::string Cell(const Json& value) {
  return value.is_number_float() ? absl::StrFormat("%.3f", value.get<double>())
         : value.is_string()     ? value.get<std::string>()
                                 : value.dump();
}

absl::Status Bench(const CommandLine& line, const BenchArguments& arguments) {
  const auto options = OptionsOf(line, arguments);
  if (!options.ok()) return options.status();
  const auto report = load::RunBench(*options);
  if (!report.ok()) return report.status();
  const Json json = ReportJson(arguments, *options, *report);
  const Format format = line.globals.FormatOr(Format::kTable);
  if (format == Format::kJson) {
    Print(Line(json) + "\n");
  } else {
    Table table({{"MEASURED"}, {"VALUE", /*right=*/true}});
    for (const auto& [name, value] : json.items()) table.Add({name, Cell(value)});
    Print(table.Render(format));
  }
  if (report->operations.failed() == 0) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat(report->operations.failed(), " of ", report->operations.answered(),
                   " operations failed, the first with: ", report->operations.first_failure()));
}

std::string CheckRoot(const std::string& text) {
  const bool good = text.size() > 1 && text.front() == '/' && text.back() != '/';
  return good ? "" : "'" + text + "' is no path of a node below the root";
}

template <class Value>
std::vector<std::string> NamesOf(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return names;
}

}  // namespace

void AddBench(CommandLine* line) {
  constexpr size_t kConnectionsMax = 100'000;
  constexpr size_t kOutstandingMax = 1'000'000;
  constexpr size_t kDataBytesMax = 1 << 20;
  constexpr size_t kMultiWritesMax = 128;  // etcd's limit, without a flag of its own
  constexpr double kRateMax = 1e8;
  const auto arguments = std::make_shared<BenchArguments>();
  load::BenchOptions& options = arguments->options;
  options.root.clear();
  CLI::App* command =
      AddCommand(line, &line->app, "bench",
                 "Put a load on servers of Pando, ZooKeeper or etcd, and measure it",
                 [line, arguments] { return Bench(*line, *arguments); });
  command->footer(kFooter);
  command->add_option("WORKLOAD", arguments->workload, "What to ask for")
      ->required()
      ->check(CLI::IsMember(NamesOf(kLoads)));
  command
      ->add_option("--protocol", arguments->protocol,
                   "pipeline or unary (Pando's own, over a Pipeline or a call each), zookeeper or "
                   "etcd (default pipeline)")
      ->check(CLI::IsMember(NamesOf(kProtocols)));
  command->add_option("--connections", options.connections, "Spread over --endpoints (default 30)")
      ->check(CLI::Range(size_t{1}, kConnectionsMax));
  command
      ->add_option("--outstanding", arguments->outstanding,
                   "Operations under way on each connection at most (default 16; 1 of session, "
                   "lock and watch)")
      ->check(CLI::Range(size_t{1}, kOutstandingMax));
  command->add_option("--rate", options.rate, "Operations a second (default: all it takes)")
      ->check(CLI::Range(1e-3, kRateMax));
  AddDuration(command, "--warmup", &arguments->warmup, "What is not measured yet (default 1s)");
  AddDuration(command, "--duration", &arguments->duration, "How long to measure (default 10s)");
  command->add_option("--operations", options.operations, "How many at most")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--nodes", arguments->nodes,
                   "That are made, read and written (default 10000; of create 1000000)")
      ->check(CLI::Range(uint64_t{1}, load::Workload::kNodesMax));
  command->add_option("--data-bytes", options.data_bytes, "Of each node (default 100)")
      ->check(CLI::Range(size_t{0}, kDataBytesMax));
  command->add_option("--multi-writes", options.multi_writes, "Of each multi (default 10)")
      ->check(CLI::Range(size_t{1}, kMultiWritesMax));
  command
      ->add_option("--watches", options.watches,
                   "Of watch, on all connections together (default: one on each)")
      ->check(CLI::Range(size_t{1}, kOutstandingMax));
  command
      ->add_option("--root", options.root,
                   "The node below which all is done (default /bench; of create a new one there)")
      ->check(CheckRoot, "PATH");
  command->add_flag("--prepared", options.prepared,
                    "The nodes are there, from a run with the same --root and --nodes");
  command
      ->add_option("--server-pid", options.servers,
                   "A server's process on this machine, whose CPU and memory are measured; may be "
                   "given several times")
      ->allow_extra_args(false)
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
}

}  // namespace pando::cli
