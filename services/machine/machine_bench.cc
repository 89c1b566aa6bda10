// What an operation costs without disk and network, and what a node costs in memory.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "base/rng.h"
#include "machine/machine.h"

namespace pando::machine {
namespace {

constexpr size_t kDirectories = 1'000;
constexpr size_t kNodesEach = 1'000;

std::string Path(uint64_t number) {
  char path[32];
  std::snprintf(path, sizeof path, "/dir-%04u/node-%05u",
                static_cast<unsigned>(number / kNodesEach),
                static_cast<unsigned>(number % kNodesEach));
  return path;
}

class Filled {
 public:
  Filled() : machine_(std::make_unique<Machine>()) {
    Do(model::Found{model::ClusterId(1)});
    const std::string data(100, 'd');
    for (uint64_t i = 0; i < kDirectories * kNodesEach; ++i) {
      Do(model::Create{.path = Path(i), .data = data, .create_parents = true});
    }
  }
  Applied Do(model::CommandBody body) {
    model::Command command;
    command.stamp.ms = static_cast<int64_t>(1'700'000'000'000 + revision_ / 1'000);
    command.source = {model::StorageId(1), model::StartCount(1)};
    command.number = model::SourceNumber(revision_ + 1);
    command.body = std::move(body);
    return machine_->Apply(model::Revision(++revision_), command);
  }
  Machine& machine() { return *machine_; }

 private:
  std::unique_ptr<Machine> machine_;
  uint64_t revision_ = 0;
};

Filled& Million() {
  static Filled* const filled = new Filled();
  return *filled;
}

void BM_Get(benchmark::State& state) {
  Filled& filled = Million();
  base::Rng rng(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        filled.machine().Query({.body = model::Get{Path(rng.Below(kDirectories * kNodesEach))}}));
  }
}
BENCHMARK(BM_Get);

void BM_Set(benchmark::State& state) {
  Filled& filled = Million();
  base::Rng rng(1);
  const std::string data(100, 'e');
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        filled.Do(model::Set{Path(rng.Below(kDirectories * kNodesEach)), data}));
  }
}
BENCHMARK(BM_Set);

void BM_CreateAndDelete(benchmark::State& state) {
  Filled& filled = Million();
  base::Rng rng(1);
  for (auto _ : state) {
    const std::string path = Path(rng.Below(kDirectories * kNodesEach)) + "-new";
    benchmark::DoNotOptimize(filled.Do(model::Create{.path = path, .data = "x"}));
    benchmark::DoNotOptimize(filled.Do(model::Delete{.path = path}));
  }
}
BENCHMARK(BM_CreateAndDelete);

// Bytes of heap for each node of a million with 100 B of data.
void BM_MemoryOfAMillionNodes(benchmark::State& state) {
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    const auto filled = std::make_unique<Filled>();
    const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    state.counters["bytes_per_node"] =
        static_cast<double>(after - before) / (kDirectories * kNodesEach);
  }
}
BENCHMARK(BM_MemoryOfAMillionNodes)->Iterations(1)->Unit(benchmark::kMillisecond);

// A restart: every record, in the order of keys.
void BM_Load(benchmark::State& state) {
  std::map<std::string, std::string> records;
  Machine machine;
  uint64_t revision = 0;
  const auto apply = [&](model::CommandBody body) {
    model::Command command;
    command.body = std::move(body);
    for (model::RecordWrite& write :
         machine.Apply(model::Revision(++revision), command).delta.writes) {
      records[write.key] = *write.value;
    }
  };
  apply(model::Found{model::ClusterId(1)});
  for (uint64_t i = 0; i < kDirectories * kNodesEach; ++i) {
    apply(model::Create{.path = Path(i), .data = std::string(100, 'd'), .create_parents = true});
  }
  std::unique_ptr<Machine> loaded;  // its end is not timed
  for (auto _ : state) {
    loaded = std::make_unique<Machine>();
    for (const auto& [key, value] : records) {
      if (!loaded->Load(key, value).ok()) state.SkipWithError("not loaded");
    }
    if (!loaded->FinishLoad(machine.applied(), machine.digest()).ok()) {
      state.SkipWithError("another digest");
    }
  }
}
BENCHMARK(BM_Load)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pando::machine
