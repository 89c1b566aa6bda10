// Cluster: a whole ensemble from one seed: servers, a network, clients, and faults for at least a
// minute of virtual time; then everything is healed and must converge in bounded time.
//
// What is checked, and what happens, is in docs/simulation.md. A violation ends the process.
#ifndef PANDO_SIM_CLUSTER_H_
#define PANDO_SIM_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pando::sim {

enum class Fault : uint8_t {
  kKill,
  kPowerLoss,
  kPause,
  kPartition,
  kOneWay,
  kIsolate,
  kBreakChannels,
  kSlowDisk,
  kFullDisk,
  kClockJump,
  kLogRot,
  kTreeRot,
  kWipe,
  kAddMember,
  kGrowApart,
  kRemoveMember,
  kTransfer,
  kUpgrade,
  kCount,
};
const char* FaultName(Fault fault);
inline constexpr size_t kFaults = static_cast<size_t>(Fault::kCount);

// Of one seed, or of many; plain numbers, so that they can be added and shared.
struct ClusterTotals {
  uint64_t seeds = 0;
  uint64_t faults[kFaults] = {};
  uint64_t calls = 0;
  uint64_t calls_done = 0;
  uint64_t history_calls = 0;
  uint64_t history_given_up = 0;
  uint64_t revisions = 0;
  uint64_t messages = 0;
  uint64_t dropped = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t channels_broken = 0;
  uint64_t snapshots = 0;
  uint64_t snapshots_broken = 0;
  uint64_t streams = 0;
  uint64_t moves = 0;  // of sessions to other connections
  uint64_t turns = 0;  // of servers
  uint64_t terms = 0;
  uint64_t replaced = 0;
  uint64_t virtual_ms = 0;

  void Add(const ClusterTotals& other);
  std::string Line() const;
};

using TraceLine = std::function<void(const std::string&)>;

// `trace` may be null. The same seed does the same, always.
ClusterTotals RunCluster(uint64_t seed, TraceLine trace);

}  // namespace pando::sim

#endif  // PANDO_SIM_CLUSTER_H_
