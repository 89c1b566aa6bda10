#include "raft/raft.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "raft/testing/ensemble.h"

namespace pando::raft {
namespace {

using Strings = std::vector<std::string>;

TEST(Ensemble, ElectsOneLeaderAndCommitsOnAll) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  ASSERT_NE(leader, 0u);
  ensemble.Propose(leader, "a");
  ensemble.Propose(leader, "b");
  ensemble.Run(milliseconds(10));
  for (uint64_t id : {1u, 2u, 3u}) EXPECT_EQ(ensemble.Applied(id), (Strings{"a", "b"})) << id;
}

TEST(Ensemble, CommitsWithoutAMinority) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t away = leader % 3 + 1;
  ensemble.Crash(away);
  ensemble.Propose(leader, "a");
  ensemble.Run(milliseconds(10));
  EXPECT_EQ(ensemble.Applied(leader), Strings{"a"});
  ensemble.Start(away);
  ensemble.Run(milliseconds(200));
  EXPECT_EQ(ensemble.Applied(away), Strings{"a"});
}

TEST(Ensemble, ABrokenStreamIsReplacedAtOnce) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  ensemble.Run(milliseconds(100));
  const base::Instant killed = ensemble.now();
  ensemble.Crash(leader);
  const uint64_t next = ensemble.RunUntilLeader();
  ASSERT_NE(next, 0u);
  EXPECT_NE(next, leader);
  EXPECT_LT(ensemble.now() - killed, milliseconds(100));
}

TEST(Ensemble, ALeaderThatIsCutOffStepsDown) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  ensemble.CutOff(leader);
  ensemble.Run(milliseconds(900));
  EXPECT_NE(ensemble.RaftAt(leader).role(), Role::kLeader);
  const uint64_t next = ensemble.RunUntilLeader();
  EXPECT_NE(next, leader);
  ensemble.Propose(next, "a");
  const model::Term term = ensemble.RaftAt(next).term();
  ensemble.Heal();
  ensemble.Run(milliseconds(1000));
  EXPECT_EQ(ensemble.Applied(leader), Strings{"a"});
  // Pre-vote: its return has disturbed nobody.
  EXPECT_EQ(ensemble.RaftAt(next).role(), Role::kLeader);
  EXPECT_EQ(ensemble.RaftAt(next).term(), term);
}

TEST(Ensemble, AReadOfAFollowerIsConfirmedByTheLeader) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t follower = leader % 3 + 1;
  ensemble.Propose(leader, "a");
  ensemble.Run(milliseconds(10));
  ensemble.RaftAt(follower).Read(ensemble.now(), ReadId(7));
  ensemble.RaftAt(leader).Read(ensemble.now(), ReadId(8));
  ensemble.Run(milliseconds(10));
  ASSERT_EQ(ensemble.At(follower).reads.size(), 1u);
  ASSERT_EQ(ensemble.At(leader).reads.size(), 1u);
  EXPECT_EQ(ensemble.At(follower).reads[0].index, ensemble.RaftAt(leader).committed());
}

TEST(Ensemble, TheLeadershipIsHandedOver) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t next = leader % 3 + 1;
  ensemble.Propose(leader, "a");
  ASSERT_TRUE(
      ensemble.RaftAt(leader).TransferLeadership(ensemble.now(), model::ServerId(next)).ok());
  EXPECT_FALSE(
      ensemble.RaftAt(leader).Propose(ensemble.now(), model::EntryKind::kCommand, "b").ok());
  ensemble.Run(milliseconds(20));
  EXPECT_EQ(ensemble.RaftAt(next).role(), Role::kLeader);
  EXPECT_EQ(ensemble.Applied(next), Strings{"a"});
}

// Thesis 4.2.2: nobody without its entry can be elected. Found by random_test.cc.
TEST(Ensemble, WhoRemovesItselfStandsAgainUntilThatIsCommitted) {
  Ensemble ensemble(VotersOf({1, 2}));
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t other = 3 - leader;
  ensemble.Run(milliseconds(100));
  ensemble.Cut(leader, other);
  ASSERT_TRUE(ensemble.ProposeMembership(leader, VotersOf({other})).ok());
  ensemble.Run(milliseconds(10));
  ensemble.Crash(leader);
  ensemble.Heal();
  ensemble.Start(leader);
  ensemble.Run(milliseconds(5'000));
  EXPECT_EQ(ensemble.RaftAt(other).role(), Role::kLeader);
  EXPECT_EQ(ensemble.RaftAt(other).membership(), VotersOf({other}));
  ensemble.Propose(other, "a");
  ensemble.Run(milliseconds(10));
  EXPECT_EQ(ensemble.Applied(other), Strings{"a"});
}

// The first probe is refused with a hint that the leader's memory does not reach: it is followed
// all the same, instead of going back to it entry by entry.
TEST(Ensemble, AFollowerFarBehindTheMemoryIsFoundInAFewSteps) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  ensemble.config.tail_bytes_max = 0;
  for (uint64_t id : {1u, 2u, 3u}) {
    ensemble.Crash(id);
    ensemble.Start(id);
  }
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t away = leader % 3 + 1;
  ensemble.Run(milliseconds(100));
  ensemble.Crash(away);
  for (int i = 0; i < 2'000; ++i) ensemble.Propose(leader, "x");
  ensemble.Run(milliseconds(100));
  ensemble.Store(leader, false);
  size_t requests = 0;
  ensemble.filter = [&](const Ensemble::Flight& flight) {
    requests += flight.to.value() == away && std::holds_alternative<AppendRequest>(flight.message);
    return true;
  };
  ensemble.Start(away);
  ensemble.Run(milliseconds(200));
  EXPECT_EQ(ensemble.Applied(away).size(), 2'000u);
  EXPECT_LE(requests, 10u);
}

// Partial connectivity, as in the outage of Cloudflare in 2020: pre-vote, check-quorum and
// stickiness together let a leader stay, or be replaced, wherever somebody is in touch with a
// majority.
TEST(Partial, AFollowerThatHearsOnlyTheOtherFollowerDisturbsNobody) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  const uint64_t away = leader % 3 + 1;
  const model::Term term = ensemble.RaftAt(leader).term();
  ensemble.Cut(leader, away);
  ensemble.Cut(away, leader);
  ensemble.Run(milliseconds(10'000));
  EXPECT_EQ(ensemble.RaftAt(leader).role(), Role::kLeader);
  for (const uint64_t id : {1u, 2u, 3u}) EXPECT_EQ(ensemble.RaftAt(id).term(), term) << id;
}

TEST(Partial, ALeaderThatHearsNobodyAndIsHeardIsReplaced) {
  Ensemble ensemble(VotersOf({1, 2, 3}));
  const uint64_t leader = ensemble.RunUntilLeader();
  for (const uint64_t other : {1u, 2u, 3u}) ensemble.Cut(other, leader);
  ensemble.Run(milliseconds(3'000));
  const uint64_t next = ensemble.RunUntilLeader();
  ASSERT_NE(next, 0u);
  EXPECT_NE(next, leader);
  ensemble.Propose(next, "a");
  ensemble.Run(milliseconds(100));
  EXPECT_EQ(ensemble.Applied(next), Strings{"a"});
}

// Everybody is in touch with server 1 only, and the leader is somebody else.
TEST(Partial, TheOnlyOneInTouchWithAMajorityComesToLead) {
  Ensemble ensemble(VotersOf({1, 2, 3, 4, 5}));
  const uint64_t leader = ensemble.RunUntilLeader();
  if (leader == 1) {
    ASSERT_TRUE(ensemble.Transfer(1, 2).ok());
    ensemble.Run(milliseconds(100));
    ASSERT_EQ(ensemble.RunUntilLeader(), 2u);
  }
  for (uint64_t one = 2; one <= 5; ++one) {
    for (uint64_t other = 2; other <= 5; ++other) ensemble.Cut(one, other);
  }
  ensemble.Run(milliseconds(10'000));
  EXPECT_EQ(ensemble.RaftAt(1).role(), Role::kLeader);
  ensemble.Propose(1, "a");
  ensemble.Run(milliseconds(100));
  EXPECT_EQ(ensemble.Applied(5), Strings{"a"});
}

}  // namespace
}  // namespace pando::raft
