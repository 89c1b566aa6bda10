// Mutants: bugs that are built in on purpose, to see that the simulator finds them
// (docs/simulation.md). At most one is alive in a process.
//
// Only tests/mutants is built with PANDO_MUTANTS. Everywhere else Is() is the constant false and
// nothing of a mutant is left in the binary; a test looks for kMutantMark in all others.
//
//   if (Is(Mutant::kVoteForgotten)) vote_ = {};
#ifndef PANDO_MODEL_MUTANT_H_
#define PANDO_MODEL_MUTANT_H_

#include <cstdint>

namespace pando::model {

enum class Mutant : uint8_t {
  kNone,
  // The log on disk.
  kAckBeforeSync,
  kApplyBeforeSync,
  kSyncSkipped,
  kPromiseBeforeSync,
  // Elections.
  kVoteForgotten,
  kVoteForShorterLog,
  kWipedMemberVotes,
  kPreVoteSkipped,
  kQuorumUnchecked,
  // Replication.
  kRecoveredIsCommitted,
  kPriorTermCounted,
  kLearnerCounted,
  kUnverifiedCommitted,
  kOldAppendCuts,
  kTwoChangesAtOnce,
  // Reads.
  kReadBeforeNoop,
  kReadUnconfirmed,
  kMinRevisionIgnored,
  // Sessions, commands and watches.
  kLeasesCutShort,
  kExpiryUnconfirmed,
  kLocalClockApplied,
  kMovedSessionWrites,
  kRetryAppliedTwice,
  kFifoBroken,
  kEventsSkipped,
  kCount,
};

#ifdef PANDO_MUTANTS
// In every object file that includes this.
[[gnu::used]] inline constexpr char kMutantMark[] = "this binary has a bug in it on purpose";
inline Mutant the_mutant = Mutant::kNone;
inline bool Is(Mutant mutant) { return the_mutant == mutant; }
#else
constexpr bool Is(Mutant) { return false; }
#endif

}  // namespace pando::model

#endif  // PANDO_MODEL_MUTANT_H_
