#include "absl/strings/str_cat.h"
#include "sim/cluster.h"

namespace pando::sim {
namespace {

constexpr const char* kFaultNames[kFaults] = {
    "kills",       "power losses", "pauses",      "partitions", "one-way partitions",
    "isolations",  "breaks",       "slow disks",  "full disks", "clock jumps",
    "rotten logs", "rotten trees", "wiped disks", "joins",      "growths apart",
    "removals",    "transfers",    "upgrades"};

}  // namespace

const char* FaultName(Fault fault) { return kFaultNames[static_cast<size_t>(fault)]; }

void ClusterTotals::Add(const ClusterTotals& other) {
  seeds += other.seeds;
  for (size_t i = 0; i < kFaults; ++i) faults[i] += other.faults[i];
  calls += other.calls;
  calls_done += other.calls_done;
  history_calls += other.history_calls;
  history_given_up += other.history_given_up;
  revisions += other.revisions;
  messages += other.messages;
  dropped += other.dropped;
  duplicated += other.duplicated;
  reordered += other.reordered;
  channels_broken += other.channels_broken;
  snapshots += other.snapshots;
  snapshots_broken += other.snapshots_broken;
  streams += other.streams;
  moves += other.moves;
  turns += other.turns;
  terms += other.terms;
  replaced += other.replaced;
  virtual_ms += other.virtual_ms;
}

std::string ClusterTotals::Line() const {
  std::string line =
      absl::StrCat("sim: ", seeds, " seeds, ", virtual_ms / 1'000, " s virtual, ", calls,
                   " calls (", history_calls, " in histories, ", history_given_up, " given up), ",
                   revisions, " revisions, ", terms, " terms");
  for (size_t i = 0; i < kFaults; ++i) absl::StrAppend(&line, ", ", faults[i], " ", kFaultNames[i]);
  absl::StrAppend(&line, ", ", replaced, " replaced, ", messages, " messages, ", dropped,
                  " dropped, ", duplicated, " duplicated, ", reordered, " reordered, ",
                  channels_broken, " channels broken, ", snapshots, " snapshots, ",
                  snapshots_broken, " broken off, ", streams, " streams, ", moves,
                  " moves of sessions, ", turns, " turns");
  return line;
}

}  // namespace pando::sim
