// guard WORKLOAD TURNS: runs a workload, and says how many operations that were and how often they
// asked for memory. check.py runs it under callgrind.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "allocations.h"
#include "measure.h"
#include "workload.h"

namespace pando::guard {
namespace {

// Until buffers have the size that they keep.
constexpr size_t kTurnsBefore = 20;

struct Named {
  std::string_view name;
  Workload (*make)();
};
constexpr Named kWorkloads[] = {
    {"set", MakeSet},
    {"get", MakeGet},
    {"zookeeper_get", MakeZooKeeperGet},
    {"fan_out", MakeFanOut},
    {"zookeeper_fan_out", MakeZooKeeperFanOut},
    {"replication", MakeReplication},
};

int Run(const Named& named, size_t turns) {
  const Workload workload = named.make();
  for (size_t i = 0; i < kTurnsBefore; ++i) workload.turn();
  const uint64_t before = Allocations();
  Measure(workload, turns);
  std::printf("{\"operations\": %zu, \"allocations\": %zu}\n", turns * workload.operations,
              static_cast<size_t>(Allocations() - before));
  return 0;
}

int Main(int argc, char** argv) {
  if (argc == 3) {
    const std::string_view number = argv[2];
    size_t turns = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), turns);
    for (const Named& named : kWorkloads) {
      if (named.name == argv[1] && parsed.ec == std::errc() && turns > 0) return Run(named, turns);
    }
  }
  std::fprintf(stderr, "usage: guard WORKLOAD TURNS; the workloads are\n");
  for (const Named& named : kWorkloads) {
    std::fprintf(stderr, "  %.*s\n", static_cast<int>(named.name.size()), named.name.data());
  }
  return 2;
}

}  // namespace
}  // namespace pando::guard

int main(int argc, char** argv) { return pando::guard::Main(argc, argv); }
