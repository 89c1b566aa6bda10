// Random runs: an ensemble under every fault that the network, the disks and the operator have,
// from one seed; what must never happen is judged at every step (testing/ensemble.cc), and in the
// end, when everything is mended, it must work again.
//
// PANDO_RAFT_SEEDS=n runs that many seeds, PANDO_RAFT_SEED=x that one. A seed that once failed is
// kept in testdata/random/seeds.txt.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "gtest/gtest.h"
#include "raft/testing/ensemble.h"

namespace pando::raft {
namespace {

class RandomRun {
 public:
  explicit RandomRun(uint64_t seed)
      : rng_(seed), ensemble_(Founders(rng_.Between(1, 5)), Spares(), seed) {
    // Some seeds are tame in one way or another, so that what is left gets further.
    loss_ = rng_.Chance(500) ? rng_.Below(150) : 0;
    copies_ = rng_.Chance(500) ? rng_.Below(100) : 0;
    delay_ms_max_ = rng_.Chance(500) ? 1 + rng_.Below(60) : 1;
    faults_ = rng_.Between(1, 120);
    step_ = milliseconds(rng_.Between(1, 10));
    ensemble_.config.tail_bytes_max = rng_.Chance(500) ? 0 : 1'000;
    ensemble_.config.append_bytes_max = rng_.Chance(500) ? 300 : 1 << 20;
    for (uint64_t id = 1; id <= kServers; ++id) {
      ensemble_.Crash(id);  // so that all have these settings
      ensemble_.Start(id);
    }
    ensemble_.route = [this](const Ensemble::Flight&) { return Delays(); };
  }

  void Run() {
    for (int step = 0; step < 700 && !testing::Test::HasFailure(); ++step) {
      if (rng_.Chance(faults_)) Fault();
      if (rng_.Chance(300)) Work();
      SendSnapshots();
      SyncSomeDisks();
      ensemble_.Run(step_, step_);
    }
    if (testing::Test::HasFailure()) return;
    Mend();
    CheckLiveness();
  }

 private:
  static constexpr uint64_t kServers = 6;

  static model::Membership Founders(uint64_t count) {
    std::vector<uint64_t> voters;
    for (uint64_t id = 1; id <= count; ++id) voters.push_back(id);
    return VotersOf(std::move(voters));
  }
  static std::vector<uint64_t> Spares() {
    std::vector<uint64_t> all;
    for (uint64_t id = 1; id <= kServers; ++id) all.push_back(id);
    return all;
  }

  uint64_t AnyServer() { return rng_.Between(1, kServers); }
  bool Leads(uint64_t id) {
    return ensemble_.Runs(id) && ensemble_.RaftAt(id).role() == Role::kLeader;
  }
  // Prefers the newest; now and then one of those that do not know yet that they are replaced.
  uint64_t Leader() {
    uint64_t best = 0;
    for (uint64_t id = 1; id <= kServers; ++id) {
      if (!Leads(id)) continue;
      const bool newer = best == 0 || ensemble_.RaftAt(id).term() > ensemble_.RaftAt(best).term();
      if (newer || rng_.Chance(200)) best = id;
    }
    return best;
  }

  std::vector<base::Duration> Delays() {
    if (rng_.Chance(loss_)) return {};
    std::vector<base::Duration> delays(rng_.Chance(copies_) ? 2 : 1);
    for (base::Duration& delay : delays) {
      delay = milliseconds(rng_.Below(delay_ms_max_ + 1));
      if (rng_.Chance(copies_ / 4)) delay = milliseconds(rng_.Below(2'000));
    }
    return delays;
  }

  void Fault() {
    const uint64_t id = AnyServer();
    switch (rng_.Below(13)) {
      case 0:
      case 1:
        return ensemble_.Runs(id) ? ensemble_.Crash(id) : ensemble_.Start(id);
      case 2:
        if (const uint64_t leader = Leader(); leader != 0) ensemble_.Crash(leader);
        return;
      case 3:
        if (!ensemble_.Runs(id)) ensemble_.Start(id);
        return;
      case 4:
        return ensemble_.CutOff(id);
      case 5:
        return ensemble_.Cut(id, AnyServer());
      case 6:
      case 7:
        return ensemble_.Heal();
      case 8:
        ensemble_.At(id).slow_disk = !ensemble_.At(id).slow_disk;
        return;
      case 9:
        if (const uint64_t leader = Leader(); leader != 0) {
          (void)ensemble_.RaftAt(leader).TransferLeadership(
              ensemble_.now(), model::ServerId(rng_.Chance(500) ? 0 : id));
        }
        return;
      case 10:
        if (const uint64_t other = AnyServer(); other != id) ensemble_.Reconnect(id, other);
        return;
      case 11:
        return ChangeMembership();
      case 12:
        if (ensemble_.Runs(id)) {
          ensemble_.RaftAt(id).SetCapacity({.no_space = rng_.Chance(300),
                                            .overloaded = rng_.Chance(300),
                                            .stalled = rng_.Chance(300)});
        }
        return;
    }
  }

  void ChangeMembership() {
    const uint64_t leader = Leader();
    if (leader == 0) return;
    model::Membership next = ensemble_.RaftAt(leader).membership();
    std::vector<uint64_t> voters;
    std::vector<uint64_t> learners;
    const uint64_t changed = AnyServer();
    const uint64_t role = rng_.Below(3);  // voter, learner, none
    for (const model::Member& member : next.members) {
      if (member.id.value() == changed) continue;
      const bool voter = member.role == model::Member::Role::kVoter;
      (voter ? voters : learners).push_back(member.id.value());
    }
    if (role == 0) voters.push_back(changed);
    if (role == 1) learners.push_back(changed);
    if (voters.empty()) return;
    (void)ensemble_.ProposeMembership(leader, VotersOf(voters, learners));
  }

  void Work() {
    const uint64_t id = AnyServer();
    if (const uint64_t leader = Leader(); leader != 0 && rng_.Chance(700)) {
      // While it hands over it refuses.
      (void)ensemble_.RaftAt(leader).Propose(ensemble_.now(), model::EntryKind::kCommand,
                                             std::to_string(++proposals_));
    }
    if (!ensemble_.Runs(id)) return;
    ensemble_.Settle();
    if (rng_.Chance(300)) ensemble_.Read(id);
    if (rng_.Chance(100)) ensemble_.Store(id, rng_.Chance(500));
  }

  void SendSnapshots() {
    for (uint64_t id = 1; id <= kServers; ++id) {
      if (!ensemble_.Runs(id)) continue;
      for (const model::ServerId to : std::exchange(ensemble_.At(id).snapshots, {})) {
        const bool good = ensemble_.Runs(to.value()) && (mended_ || rng_.Chance(700));
        ensemble_.Settle();
        if (good) ensemble_.InstallSnapshot(id, to.value());
        ensemble_.RaftAt(id).SnapshotSent(ensemble_.now(), to, good);
      }
    }
  }

  void SyncSomeDisks() {
    for (uint64_t id = 1; id <= kServers; ++id) {
      if (ensemble_.Runs(id) && ensemble_.At(id).slow_disk && rng_.Chance(30)) ensemble_.Sync(id);
    }
  }

  void Mend() {
    mended_ = true;
    loss_ = copies_ = 0;
    delay_ms_max_ = 1;
    ensemble_.Heal();
    for (uint64_t id = 1; id <= kServers; ++id) {
      ensemble_.At(id).slow_disk = false;
      if (!ensemble_.Runs(id)) ensemble_.Start(id);
      ensemble_.RaftAt(id).SetCapacity({});
    }
  }

  // Someone leads, commits, and every member of the newest membership gets to have it.
  void CheckLiveness() {
    bool proposed = false;
    for (int step = 0; step < 2'000 && !testing::Test::HasFailure(); ++step) {
      ensemble_.Run(milliseconds(5), milliseconds(5));
      SendSnapshots();
      if (step < 600) continue;  // the transfers and snapshots that were given up are done
      const uint64_t leader = Leader();
      if (leader == 0 || ensemble_.RaftAt(leader).transferring()) continue;
      if (!proposed) {
        proposed = ensemble_.RaftAt(leader)
                       .Propose(ensemble_.now(), model::EntryKind::kCommand, "the last")
                       .ok();
        continue;
      }
      bool all = ensemble_.RaftAt(leader).committed() == ensemble_.RaftAt(leader).last_index();
      for (const model::Member& member : ensemble_.RaftAt(leader).membership().members) {
        const Ensemble::Server& server = ensemble_.At(member.id.value());
        all = all && server.applied_index == ensemble_.newest();
      }
      if (all) return;
    }
    if (testing::Test::HasFailure()) return;
    ADD_FAILURE() << "mended, and it does not get on: " << State();
  }

  std::string State() {
    std::string text;
    for (uint64_t id = 1; id <= kServers; ++id) {
      const Raft& raft = ensemble_.RaftAt(id);
      text += "\n  " + std::to_string(id) + " " + RoleName(raft.role()) + " term " +
              std::to_string(raft.term().value()) + " of " + std::to_string(raft.leader().value()) +
              " last " + std::to_string(raft.last_index().value()) + " committed " +
              std::to_string(raft.committed().value()) + " applied " +
              std::to_string(ensemble_.At(id).applied_index.value());
      for (uint64_t peer = 1; Leads(id) && peer <= kServers; ++peer) {
        const Progress* progress = raft.FindProgress(model::ServerId(peer));
        if (progress == nullptr) continue;
        text += "\n    " + std::to_string(peer) + " state " +
                std::to_string(static_cast<int>(progress->state())) + " match " +
                std::to_string(progress->match().value()) + " next " +
                std::to_string(progress->next().value());
      }
    }
    return text;
  }

  base::Rng rng_;
  Ensemble ensemble_;
  uint64_t loss_ = 0;  // of a thousand, like the two after it
  uint64_t copies_ = 0;
  uint64_t faults_ = 0;
  uint64_t delay_ms_max_ = 1;
  base::Duration step_ = milliseconds(1);
  uint64_t proposals_ = 0;
  bool mended_ = false;
};

// A CHECK ends the process: the seed has to be known all the same.
volatile sig_atomic_t running_seed = 0;

void SayWhichSeed(int) {
  char text[] = "raft: while it ran PANDO_RAFT_SEED=0000000000\n";
  auto seed = static_cast<uint64_t>(running_seed);
  for (size_t at = sizeof(text) - 3; seed > 0; --at, seed /= 10) {
    text[at] = static_cast<char>('0' + seed % 10);
  }
  (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
}

void RunSeed(uint64_t seed) {
  SCOPED_TRACE("PANDO_RAFT_SEED=" + std::to_string(seed));
  running_seed = static_cast<sig_atomic_t>(seed);
  std::signal(SIGABRT, SayWhichSeed);
  RandomRun(seed).Run();
  std::signal(SIGABRT, SIG_DFL);
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RaftRandom, NothingBadHappensAndSomethingGoodDoes) {
  if (const uint64_t seed = FromEnvironment("PANDO_RAFT_SEED", 0); seed != 0) return RunSeed(seed);
  const uint64_t first = FromEnvironment("PANDO_RAFT_FIRST_SEED", 1);
  const uint64_t count = FromEnvironment("PANDO_RAFT_SEEDS", 100);
  for (uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) RunSeed(seed);
}

TEST(RaftRandom, SeedsThatOnceFailed) {
  std::ifstream file(PANDO_TESTDATA "/random/seeds.txt");
  ASSERT_TRUE(file.is_open());
  for (std::string line; std::getline(file, line) && !HasFailure();) {
    if (!line.empty() && line[0] != '#') RunSeed(std::strtoull(line.c_str(), nullptr, 10));
  }
}

}  // namespace
}  // namespace pando::raft
