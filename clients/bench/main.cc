// pando_bench WORKLOAD: puts a load on a running server and reports what it took.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "bench/load.h"
#include "bench/report.h"
#include "bench/workload.h"

int main(int argc, char** argv) {
  CLI::App app{"Puts a load on a running server, over Pipelines, and reports what it took."};
  std::string kind;
  std::string output = "text";
  uint64_t nodes = 1'000'000;
  size_t data_bytes = 100;
  double seconds = 0;
  pando::load::LoadOptions options{.endpoint = "127.0.0.1:7400"};
  app.add_option("workload", kind, "create (all nodes once), get or set (random nodes)")
      ->required()
      ->check(CLI::IsMember({"create", "get", "set"}));
  app.add_option("--endpoint", options.endpoint, "HOST:PORT of the server")->capture_default_str();
  app.add_option("--nodes", nodes, "how many nodes there are")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--data-bytes", data_bytes, "of each node")->capture_default_str();
  app.add_option("--streams", options.streams, "Pipelines, each on its own connection")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", options.operations_per_message, "operations in a message")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--window", options.messages_outstanding, "messages under way in each stream")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--pace", options.operations_per_second, "operations a second; 0: all it takes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seconds", seconds, "how long; 0: create all nodes once, or 10 s")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("-o,--output", output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const pando::load::Workload::Kind workload = *pando::load::Workload::KindOf(kind);
  if (workload == pando::load::Workload::Kind::kCreate) {
    options.operations = nodes;
  } else if (seconds == 0) {
    seconds = 10;
  }
  if (seconds > 0) {
    options.duration =
        std::chrono::duration_cast<pando::base::Duration>(std::chrono::duration<double>(seconds));
  }
  const absl::StatusOr<pando::load::LoadReport> report =
      pando::load::RunLoad(options, pando::load::Workload(workload, nodes, data_bytes));
  if (!report.ok()) {
    std::fprintf(stderr, "pando_bench: %s\n", report.status().ToString().c_str());
    return 1;
  }
  const std::string text = output == "json" ? ToJson(*report) : ToText(*report);
  std::printf("%s\n", text.c_str());
  return report->failed == 0 ? 0 : 1;
}
