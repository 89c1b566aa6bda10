// sim_mutants [NAME…]: lets the simulator look for every bug that is built in on purpose, or for
// those that are named, seed after seed from 1 on, within each one's budget; and runs the seeds
// that found one again without it, which must pass. sim_mutants --trace NAME SEED: one of them, and
// says what happens.
//
// Prints which check found which mutant at which seed; exit status 1 if one got away.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "model/mutant.h"
#include "sim/cluster.h"

namespace {

using pando::model::Mutant;

struct Hunt {
  Mutant mutant;
  const char* name;
  uint64_t seeds_max;
};

constexpr Hunt kHunts[] = {
    {Mutant::kAckBeforeSync, "ack-before-sync", 40},
    {Mutant::kApplyBeforeSync, "apply-before-sync", 120},
    {Mutant::kSyncSkipped, "sync-skipped", 20},
    {Mutant::kPromiseBeforeSync, "promise-before-sync", 60},
    {Mutant::kVoteForgotten, "vote-forgotten", 20},
    {Mutant::kVoteForShorterLog, "vote-for-shorter-log", 60},
    {Mutant::kWipedMemberVotes, "wiped-member-votes", 120},
    {Mutant::kPreVoteSkipped, "pre-vote-skipped", 20},
    {Mutant::kQuorumUnchecked, "quorum-unchecked", 20},
    {Mutant::kRecoveredIsCommitted, "recovered-is-committed", 60},
    {Mutant::kPriorTermCounted, "prior-term-counted", 60},
    {Mutant::kLearnerCounted, "learner-counted", 60},
    {Mutant::kUnverifiedCommitted, "unverified-committed", 60},
    {Mutant::kOldAppendCuts, "old-append-cuts", 20},
    {Mutant::kTwoChangesAtOnce, "two-changes-at-once", 150},
    {Mutant::kReadBeforeNoop, "read-before-noop", 300},
    {Mutant::kReadUnconfirmed, "read-unconfirmed", 200},
    {Mutant::kMinRevisionIgnored, "min-revision-ignored", 120},
    {Mutant::kLeasesCutShort, "leases-cut-short", 20},
    {Mutant::kExpiryUnconfirmed, "expiry-unconfirmed", 250},
    {Mutant::kLocalClockApplied, "local-clock-applied", 20},
    {Mutant::kMovedSessionWrites, "moved-session-writes", 20},
    {Mutant::kRetryAppliedTwice, "retry-applied-twice", 20},
    {Mutant::kFifoBroken, "fifo-broken", 30},
    {Mutant::kEventsSkipped, "events-skipped", 120},
};
static_assert(std::size(kHunts) + 1 == static_cast<size_t>(Mutant::kCount));

// A seed that never ends is no finding: the process is killed, and the test fails.
constexpr unsigned kSecondsMax = 60;

struct Outcome {
  bool passed = false;
  bool found = false;  // a check has stopped it
  std::string words;   // the check's
};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// In a process of its own, which a check aborts.
Outcome Run(Mutant mutant, uint64_t seed) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(2);
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid < 0) std::exit(2);
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    alarm(kSecondsMax);
    pando::model::the_mutant = mutant;
    pando::sim::RunCluster(seed, nullptr);
    std::_Exit(0);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t bytes; (bytes = read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<size_t>(bytes));
  }
  close(ends[0]);
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) std::exit(2);
  return {.passed = WIFEXITED(status) && WEXITSTATUS(status) == 0,
          .found = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
          .words = FirstLine(said)};
}

// The seed that found it; 0: none.
uint64_t Find(const Hunt& hunt) {
  for (uint64_t seed = 1; seed <= hunt.seeds_max; ++seed) {
    const Outcome outcome = Run(hunt.mutant, seed);
    if (outcome.passed) continue;
    std::printf("%-24s seed %3llu of %3llu: %s\n", hunt.name, static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(hunt.seeds_max), outcome.words.c_str());
    return outcome.found ? seed : 0;
  }
  std::printf("%-24s NOT FOUND within %llu seeds\n", hunt.name,
              static_cast<unsigned long long>(hunt.seeds_max));
  return 0;
}

const Hunt* HuntOf(std::string_view name) {
  for (const Hunt& hunt : kHunts) {
    if (hunt.name == name) return &hunt;
  }
  std::fprintf(stderr, "there is no mutant %s; these are there:\n", std::string(name).c_str());
  for (const Hunt& hunt : kHunts) std::fprintf(stderr, "  %s\n", hunt.name);
  std::exit(2);
}

int Trace(const Hunt& hunt, uint64_t seed) {
  pando::model::the_mutant = hunt.mutant;
  pando::sim::RunCluster(seed, [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);  // a violation aborts
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--trace") == 0) {
    return Trace(*HuntOf(argv[2]), std::strtoull(argv[3], nullptr, 10));
  }
  std::set<const Hunt*> hunts;
  for (int i = 1; i < argc; ++i) hunts.insert(HuntOf(argv[i]));
  std::set<uint64_t> finders;
  int got_away = 0;
  for (const Hunt& hunt : kHunts) {
    if (argc > 1 && !hunts.contains(&hunt)) continue;
    const uint64_t seed = Find(hunt);
    got_away += seed == 0;
    if (seed != 0) finders.insert(seed);
  }
  for (const uint64_t seed : finders) {
    const Outcome outcome = Run(Mutant::kNone, seed);
    if (outcome.passed) continue;
    std::printf("seed %llu fails without a mutant: %s\n", static_cast<unsigned long long>(seed),
                outcome.words.c_str());
    ++got_away;
  }
  return got_away == 0 ? 0 : 1;
}
