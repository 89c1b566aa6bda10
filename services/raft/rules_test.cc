// One test for each rule of Raft (figure 2 of the paper, and the thesis) that holds for whoever
// stands or follows. A leader's rules are in leader_rules_test.cc.
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/membership.h"
#include "gtest/gtest.h"
#include "raft/raft.h"
#include "raft/testing/ensemble.h"
#include "raft/testing/one_of_three.h"

namespace pando::raft {
namespace {

// --- Elections --------------------------------------------------------------------------------

TEST_F(OneOfThree, ElectionTimeoutsAreRandomWithinTheirBounds) {
  const base::Duration low = Config().election_min;
  const base::Duration high = Config().election_max;
  std::set<base::Duration> timeouts;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Recovered recovered;
    recovered.membership = VotersOf({1, 2, 3});
    raft_.emplace(Config{.id = ServerId(1)}, std::move(recovered), base::Rng(seed), now_);
    const base::Duration timeout = raft().NextDeadline() - now_;
    EXPECT_GE(timeout, low);
    EXPECT_LE(timeout, high);
    timeouts.insert(timeout);
  }
  EXPECT_GT(timeouts.size(), 90u);
  EXPECT_LT(*timeouts.begin(), low + (high - low) / 10);
  EXPECT_GT(*timeouts.rbegin(), high - (high - low) / 10);
}

TEST_F(OneOfThree, AVoteThatIsGivenBeginsTheElectionTimeoutAnewAndARefusalDoesNot) {
  Start(4, {EntryOf(1, 4)});
  const base::Instant before = raft().NextDeadline();
  now_ = now_ + milliseconds(300);
  Receive(2, VoteRequest{.term = Term(5)});  // it lacks the entry
  EXPECT_EQ(raft().NextDeadline(), before);
  Receive(3, VoteRequest{.term = Term(5), .last = Revision(1), .last_term = Term(4)});
  EXPECT_GE(raft().NextDeadline(), now_ + Config().election_min);
}

TEST_F(OneOfThree, ARequestForAVoteOfAnOlderTermIsRefusedWithTheTerm) {
  Start(4);
  Receive(2, VoteRequest{.term = Term(3), .last = Revision(9), .last_term = Term(3)});
  const auto replies = Sent<VoteReply>(2);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_FALSE(replies[0].granted);
  EXPECT_EQ(replies[0].term, Term(4));
}

TEST_F(OneOfThree, WhoStandsFollowsALeaderOfItsTerm) {
  Start(4);
  Wait(800);
  Receive(3, VoteReply{Term(5), true, true});
  Sync();
  ASSERT_EQ(raft().role(), Role::kCandidate);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  EXPECT_EQ(raft().role(), Role::kFollower);
  EXPECT_EQ(raft().leader(), ServerId(2));
  Receive(3, VoteReply{Term(5), false, true});  // too late
  EXPECT_EQ(raft().role(), Role::kFollower);
}

TEST_F(OneOfThree, AnElectionThatNobodyWinsIsFollowedByAPreVote) {
  Start(4);
  Wait(800);
  Receive(3, VoteReply{Term(5), true, true});
  Sync();
  Sent<VoteRequest>(2);
  Wait(800);
  const auto requests = Sent<VoteRequest>(2);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(requests[0].pre_vote);
  EXPECT_EQ(requests[0].term, Term(6));
  EXPECT_EQ(raft().term(), Term(5));
}

// Whatever happened while the vote was on its way to the disk counts when it is there (NuRaft 294).
TEST_F(OneOfThree, AVoteThatGetsToTheDiskTooLateElectsNobody) {
  Start(4);
  Wait(800);
  Receive(3, VoteReply{Term(5), true, true});
  Sent<VoteRequest>(2);
  Receive(2, Heartbeat{.term = Term(6), .round = 1});
  Sync();
  EXPECT_EQ(raft().role(), Role::kFollower);
  EXPECT_TRUE(Sent<VoteRequest>(2).empty());
  EXPECT_EQ(raft().term(), Term(6));
}

TEST_F(OneOfThree, WhoIsToldToStandsAtOnceAndWithoutAPreVote) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Receive(3, StandNow{Term(5)});  // it does not lead
  Receive(2, StandNow{Term(4)});  // of long ago
  EXPECT_EQ(raft().role(), Role::kFollower);
  Receive(2, StandNow{Term(5)});
  Sync();
  const auto requests = Sent<VoteRequest>(3);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_FALSE(requests[0].pre_vote);
  EXPECT_TRUE(requests[0].transfer);
  EXPECT_EQ(requests[0].term, Term(6));
}

TEST_F(OneOfThree, TheLeaderItselfIsNotHeardWhileItAsksForAVote) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Sync();
  Receive(2, VoteRequest{.term = Term(6), .pre_vote = true});
  EXPECT_TRUE(Sent<VoteReply>(2)[0].granted);
  Receive(3, VoteRequest{.term = Term(6), .pre_vote = true});
  EXPECT_FALSE(Sent<VoteReply>(3)[0].granted);
}

// Its disk does not answer, and its leader does not wait for it: there is nothing to elect
// (LogCabin 200).
TEST_F(OneOfThree, ADiskThatIsStuckCallsNoElection) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 5)}});
  Obey();
  for (uint64_t round = 1; round <= 200; ++round) {
    Wait(50);
    ASSERT_EQ(raft().role(), Role::kFollower);
    Receive(2, Heartbeat{.term = Term(5), .round = round});
  }
  EXPECT_TRUE(Sent<AppendReply>(2).empty());
}

// NuRaft counted milliseconds in 32 bits: no election was held after 24.8 days (NuRaft 660).
TEST_F(OneOfThree, AHundredYearsAreNotTooLong) {
  now_ = base::Instant(std::chrono::hours(24) * 365 * 100);
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Wait(399);
  EXPECT_EQ(raft().role(), Role::kFollower);
  now_ = now_ + std::chrono::hours(24) * 365 * 100;
  Wait(0);
  EXPECT_EQ(raft().role(), Role::kCandidate);
}

struct LogEnd {
  const char* what;
  uint64_t last, term;
  bool granted;
};

TEST_F(OneOfThree, GrantsNoVoteToWhoLacksWhatItHas) {
  const LogEnd cases[] = {{"equal", 2, 3, true},
                          {"longer", 9, 3, true},
                          {"shorter", 1, 3, false},
                          {"of an older term, however long", 99, 2, false},
                          {"of a newer term, however short", 1, 4, true}};
  for (const LogEnd& c : cases) {
    for (const bool pre : {false, true}) {
      Start(4, {EntryOf(1, 1), EntryOf(2, 3)});
      Receive(2, VoteRequest{.term = Term(5),
                             .pre_vote = pre,
                             .last = Revision(c.last),
                             .last_term = Term(c.term)});
      Sync();
      const auto replies = Sent<VoteReply>(2);
      ASSERT_EQ(replies.size(), 1u) << c.what;
      EXPECT_EQ(replies[0].granted, c.granted) << c.what << (pre ? ", pre-vote" : "");
      unsynced_.clear();
    }
  }
}

TEST_F(OneOfThree, AVoteIsPromisedOnlyOnceItIsOnDisk) {
  Start(4);
  Receive(2, VoteRequest{.term = Term(5)});
  EXPECT_TRUE(Sent<VoteReply>(2).empty());
  ASSERT_EQ(unsynced_.size(), 1u);
  EXPECT_EQ(unsynced_[0].vote->term, Term(5));
  EXPECT_EQ(unsynced_[0].vote->vote, ServerId(2));
  Sync();
  EXPECT_EQ(Sent<VoteReply>(2).size(), 1u);
}

TEST_F(OneOfThree, OneVoteATerm) {
  Start(4);
  Receive(2, VoteRequest{.term = Term(5)});
  Receive(3, VoteRequest{.term = Term(5)});
  Receive(2, VoteRequest{.term = Term(5)});  // repeated
  Sync();
  EXPECT_FALSE(Sent<VoteReply>(3)[0].granted);
  const auto replies = Sent<VoteReply>(2);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_TRUE(replies[0].granted);
  EXPECT_TRUE(replies[1].granted);
}

TEST_F(OneOfThree, AVoteOutlivesARestart) {
  Start(5, {}, 2);
  Receive(3, VoteRequest{.term = Term(5)});
  EXPECT_FALSE(Sent<VoteReply>(3)[0].granted);
  Receive(2, VoteRequest{.term = Term(5)});
  EXPECT_TRUE(Sent<VoteReply>(2)[0].granted);
}

TEST_F(OneOfThree, APreVoteChangesNobodysTerm) {
  Start(4);
  Receive(2, VoteRequest{.term = Term(9), .pre_vote = true});
  EXPECT_TRUE(Sent<VoteReply>(2)[0].granted);
  EXPECT_EQ(raft().term(), Term(4));
  EXPECT_TRUE(unsynced_.empty());
}

TEST_F(OneOfThree, StandsOnlyWithAMajorityOfPreVotes) {
  Start(4);
  Wait(800);
  ASSERT_EQ(raft().role(), Role::kCandidate);
  EXPECT_EQ(Sent<VoteRequest>(2)[0].term, Term(5));
  EXPECT_EQ(raft().term(), Term(4));
  Wait(5'000);
  EXPECT_EQ(raft().term(), Term(4));
  Receive(3, VoteReply{Term(5), true, true});
  EXPECT_EQ(raft().term(), Term(5));
}

TEST_F(OneOfThree, AsksForVotesOnlyOnceItsOwnIsOnDisk) {
  Start(4);
  Wait(800);
  Sent<VoteRequest>(2);
  Receive(3, VoteReply{Term(5), true, true});
  EXPECT_TRUE(Sent<VoteRequest>(2).empty());
  Receive(2, VoteReply{Term(5), false, true});
  EXPECT_EQ(raft().role(), Role::kCandidate);  // its own does not count yet
  Sync();
  EXPECT_EQ(raft().role(), Role::kLeader);
}

TEST_F(OneOfThree, AnAnswerToThePreVoteIsNoVote) {
  Start(4);
  Wait(800);
  Receive(3, VoteReply{Term(5), true, true});
  Sync();
  Receive(2, VoteReply{Term(5), true, true});
  EXPECT_EQ(raft().role(), Role::kCandidate);
  Receive(2, VoteReply{Term(4), false, true});  // of long ago
  EXPECT_EQ(raft().role(), Role::kCandidate);
}

TEST_F(OneOfThree, ARefusalTellsTheHigherTerm) {
  Start(4);
  Wait(800);
  Receive(3, VoteReply{Term(8), true, false});
  EXPECT_EQ(raft().term(), Term(8));
  EXPECT_EQ(raft().role(), Role::kFollower);
}

TEST_F(OneOfThree, WhoHearsALeaderDoesNotEvenTakeNoteOfTheTerm) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Sync();
  Receive(3, VoteRequest{.term = Term(9), .last = Revision(99), .last_term = Term(8)});
  EXPECT_TRUE(Sent<VoteReply>(3).empty());
  EXPECT_EQ(raft().term(), Term(5));
  Receive(3, VoteRequest{.term = Term(9), .pre_vote = true, .last = Revision(99)});
  EXPECT_FALSE(Sent<VoteReply>(3)[0].granted);
  // The leader itself hands over.
  Receive(3, VoteRequest{.term = Term(9), .transfer = true, .last = Revision(99)});
  Sync();
  EXPECT_TRUE(Sent<VoteReply>(3)[0].granted);
}

TEST_F(OneOfThree, ABrokenChannelEndsStickinessUntilTheLeaderIsHeardAgain) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Sync();
  raft().PeerLost(now_, ServerId(2));
  Receive(3, VoteRequest{.term = Term(6), .pre_vote = true});
  EXPECT_TRUE(Sent<VoteReply>(3)[0].granted);
  Receive(2, Heartbeat{.term = Term(5), .round = 2});
  Receive(3, VoteRequest{.term = Term(6), .pre_vote = true});
  EXPECT_FALSE(Sent<VoteReply>(3)[0].granted);
}

// Cut off from all: no channel breaks, so only silence tells.
TEST_F(OneOfThree, ALeaderThatIsSilentForTwoTimeoutsIsForgotten) {
  for (const bool learner : {false, true}) {
    Recovered recovered;
    recovered.term = Term(5);
    recovered.membership = learner ? VotersOf({2, 3}, {1}) : VotersOf({1, 2, 3});
    raft_.emplace(Config{.id = ServerId(1)}, std::move(recovered), base::Rng(1), now_);
    Receive(2, Heartbeat{.term = Term(5), .round = 1});
    Wait(399);
    EXPECT_EQ(raft().leader(), ServerId(2));
    for (int ms = 0; ms < 1300; ms += 10) Wait(10);
    EXPECT_FALSE(raft().leader()) << (learner ? "learner" : "voter");
    EXPECT_EQ(raft().term(), Term(5));
    Receive(2, Heartbeat{.term = Term(5), .round = 2});
    EXPECT_EQ(raft().leader(), ServerId(2));
  }
}

TEST_F(OneOfThree, AStaleLeaderIsToldTheTerm) {
  Start(7);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  EXPECT_EQ(Sent<HeartbeatReply>(2)[0].term, Term(7));
  Receive(2, AppendRequest{.term = Term(5)});
  EXPECT_EQ(Sent<HeartbeatReply>(2)[0].term, Term(7));
  EXPECT_FALSE(raft().leader());
}

// It was let in again under its id, as a learner, and got a snapshot from before it was removed.
TEST_F(OneOfThree, WhoseDataIsGoneNeverStandsUnderItsId) {
  Recovered recovered;
  recovered.membership = VotersOf({1, 2, 3});
  raft_.emplace(Config{.id = ServerId(1), .storage = model::StorageId(7)}, std::move(recovered),
                base::Rng(1), now_);
  EXPECT_EQ(raft().role(), Role::kLearner);
  Wait(60'000);
  EXPECT_EQ(raft().role(), Role::kLearner);
  EXPECT_TRUE(Sent<VoteRequest>(2).empty());
}

TEST_F(OneOfThree, ALearnerNeverStandsButVotes) {
  Recovered recovered;
  recovered.membership = VotersOf({2, 3}, {1});
  raft_.emplace(Config{.id = ServerId(1)}, std::move(recovered), base::Rng(1), now_);
  EXPECT_EQ(raft().NextDeadline(), base::kNever);
  Wait(60'000);
  EXPECT_EQ(raft().role(), Role::kLearner);
  EXPECT_TRUE(Sent<VoteRequest>(2).empty());
  Receive(3, VoteRequest{.term = Term(2)});  // who knows of a promotion that it does not
  Sync();
  EXPECT_TRUE(Sent<VoteReply>(3)[0].granted);
}

using TwoLeadersOfATerm = OneOfThree;
TEST_F(TwoLeadersOfATerm, AreNotTolerated) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  EXPECT_DEATH(Receive(3, Heartbeat{.term = Term(5), .round = 1}), "");
}

// --- Replication ------------------------------------------------------------------------------

TEST_F(OneOfThree, AcknowledgesOnlyWhatIsOnDisk) {
  Start(4);
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  Sync();
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 5), RefOf(2, 5)}});
  EXPECT_TRUE(Sent<AppendReply>(2).empty());
  Sync();
  const auto replies = Sent<AppendReply>(2);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].match, Revision(2));
}

TEST_F(OneOfThree, RefusesWhatDoesNotFollowItsLogAndSaysWhereTheyMayAgree) {
  Start(4, {EntryOf(1, 1), EntryOf(2, 3), EntryOf(3, 3)});
  Receive(2, AppendRequest{.term = Term(5), .previous = Revision(9), .previous_term = Term(4)});
  Sync();
  auto reply = Sent<AppendReply>(2).back();
  EXPECT_FALSE(reply.accepted);
  EXPECT_EQ(reply.hint, Revision(3));
  EXPECT_EQ(reply.hint_term, Term(3));
  Receive(2, AppendRequest{.term = Term(5), .previous = Revision(3), .previous_term = Term(2)});
  reply = Sent<AppendReply>(2).back();
  EXPECT_FALSE(reply.accepted);
  EXPECT_EQ(reply.hint, Revision(1));
}

TEST_F(OneOfThree, CutsOnlyWhatConflicts) {
  Start(3, {EntryOf(1, 1), EntryOf(2, 3), EntryOf(3, 3)});
  // One that was delayed and holds less than is known already.
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 1)}});
  Sync();
  EXPECT_EQ(raft().last_index(), Revision(3));
  Receive(2, AppendRequest{.term = Term(5),
                           .previous = Revision(1),
                           .previous_term = Term(1),
                           .entries = {RefOf(2, 3), RefOf(3, 5)}});
  Obey();
  ASSERT_EQ(unsynced_.size(), 1u);
  ASSERT_EQ(unsynced_[0].entries.size(), 1u);
  EXPECT_EQ(*unsynced_[0].entries[0], *RefOf(3, 5));
}

TEST_F(OneOfThree, AppliesNothingPastWhatItsLeaderHasVerified) {
  // 2 and 3 are left of an older term: that the leader has committed three says nothing of them.
  Start(3, {EntryOf(1, 1), EntryOf(2, 3), EntryOf(3, 3)});
  Receive(2, Heartbeat{.term = Term(5), .committed = Revision(3), .round = 1});
  Sync();
  EXPECT_EQ(raft().committed(), Revision());
  Receive(2, AppendRequest{.term = Term(5), .committed = Revision(3), .entries = {RefOf(1, 1)}});
  Obey();
  EXPECT_EQ(raft().committed(), Revision(1));
}

TEST_F(OneOfThree, ANewTermForgetsWhatTheOldLeaderHadVerified) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 5), RefOf(2, 5)}});
  Sync();
  Receive(3, Heartbeat{.term = Term(6), .committed = Revision(2), .round = 1});
  Sync();
  EXPECT_EQ(raft().committed(), Revision());
  EXPECT_EQ(Sent<HeartbeatReply>(3).back().verified, Revision());
}

TEST_F(OneOfThree, AppliesNothingThatIsNotOnItsOwnDisk) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5), .committed = Revision(1), .entries = {RefOf(1, 5)}});
  Obey();
  EXPECT_EQ(raft().committed(), Revision(1));
  EXPECT_TRUE(applied_.empty());
  Sync();
  EXPECT_EQ(applied_, std::vector<Revision>{Revision(1)});
}

// The append of 1..3 of term 5 is under way while a leader of term 6 replaces 2: when it ends, only
// entry 1 of it counts (etcd's async_storage_writes_append_aba_race).
TEST_F(OneOfThree, ACutClampsTheAppendsThatAreUnderWay) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 5), RefOf(2, 5), RefOf(3, 5)}});
  Obey();
  Receive(3, AppendRequest{.term = Term(6), .previous = Revision(1), .previous_term = Term(5)});
  Receive(3, AppendRequest{.term = Term(6),
                           .committed = Revision(3),
                           .entries = {RefOf(1, 5), RefOf(2, 6), RefOf(3, 6)}});
  Obey();
  SyncOne();
  EXPECT_EQ(applied_, std::vector<Revision>{Revision(1)});
  for (const AppendReply& reply : Sent<AppendReply>(3)) EXPECT_LE(reply.match, Revision(1));
  Sync();
  EXPECT_EQ(Sent<AppendReply>(3).back().match, Revision(3));
}

TEST_F(OneOfThree, WhatIsCommittedNeedNotBeComparedThoughItIsCompacted) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5),
                           .committed = Revision(3),
                           .entries = {RefOf(1, 5), RefOf(2, 5), RefOf(3, 5)}});
  Sync();
  raft().Compact(Revision(3));
  Receive(2, AppendRequest{.term = Term(5),
                           .previous = Revision(1),
                           .previous_term = Term(5),
                           .entries = {RefOf(2, 5), RefOf(3, 5), RefOf(4, 5)}});
  Sync();
  EXPECT_EQ(Sent<AppendReply>(2).back().match, Revision(4));
}

TEST_F(OneOfThree, WithoutRoomItTakesNothingNewAndVotesAllTheSame) {
  const Capacity cases[] = {{.no_space = true}, {.stalled = true}};
  for (const Capacity& lacking : cases) {
    Start(4, {EntryOf(1, 3)});
    raft().SetCapacity(lacking);
    Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 3), RefOf(2, 5)}});
    Sync();
    EXPECT_EQ(raft().last_index(), Revision(1));
    EXPECT_EQ(Sent<AppendReply>(2).back().match, Revision(1));  // what it has, it has
    Receive(2, Heartbeat{.term = Term(5), .committed = Revision(1), .round = 1});
    const auto reply = Sent<HeartbeatReply>(2).back();
    EXPECT_EQ(reply.no_space, lacking.no_space);
    EXPECT_EQ(reply.stalled, lacking.stalled);
    EXPECT_EQ(raft().committed(), Revision(1));
    raft().PeerLost(now_, ServerId(2));
    Receive(3, VoteRequest{.term = Term(6), .last = Revision(2), .last_term = Term(5)});
    Sync();
    EXPECT_TRUE(Sent<VoteReply>(3).back().granted);

    raft().SetCapacity({});
    Receive(3, AppendRequest{.term = Term(6), .entries = {RefOf(1, 3), RefOf(2, 5)}});
    Sync();
    EXPECT_EQ(Sent<AppendReply>(3).back().match, Revision(2));
  }
}

TEST_F(OneOfThree, ALostAcknowledgementIsRepeatedWithAHeartbeatsAnswer) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5), .entries = {RefOf(1, 5)}});
  Sync();
  EXPECT_EQ(Sent<AppendReply>(2).size(), 1u);  // lost
  Receive(2, Heartbeat{.term = Term(5), .round = 1});
  const auto again = Sent<AppendReply>(2);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].match, Revision(1));
}

// --- Snapshots --------------------------------------------------------------------------------

TEST_F(OneOfThree, ASnapshotThatIsOldNewsRewindsNothing) {
  Start(4);
  Receive(2, AppendRequest{.term = Term(5),
                           .committed = Revision(3),
                           .entries = {RefOf(1, 5), RefOf(2, 5), RefOf(3, 5)}});
  Sync();
  raft().Installed(now_, Revision(2), Term(5), VotersOf({1, 2, 3}));
  Obey();
  EXPECT_EQ(raft().last_index(), Revision(3));
  EXPECT_EQ(raft().committed(), Revision(3));
  Receive(2, AppendRequest{.term = Term(5),
                           .previous = Revision(3),
                           .previous_term = Term(5),
                           .committed = Revision(4),
                           .entries = {RefOf(4, 5)}});
  Sync();
  EXPECT_EQ(applied_, (std::vector<Revision>{Revision(1), Revision(2), Revision(3), Revision(4)}));
}

TEST_F(OneOfThree, ASnapshotsMembershipCountsUnderThatOfLaterEntries) {
  const auto change = [](uint64_t index, const model::Membership& next) {
    return std::make_shared<const model::Entry>(model::Entry{
        Revision(index), Term(5), EntryKind::kMembership, codec::EncodeMembership(next)});
  };
  Start(4);
  Receive(2, AppendRequest{.term = Term(5),
                           .entries = {RefOf(1, 5), change(2, VotersOf({1, 2, 3}, {4})),
                                       change(3, VotersOf({1, 2, 3, 4}))}});
  Sync();
  raft().Installed(now_, Revision(2), Term(5), VotersOf({1, 2, 3}, {4}));
  Obey();
  EXPECT_EQ(raft().membership(), VotersOf({1, 2, 3, 4}));
  // Another leader does not have it.
  Receive(3, AppendRequest{.term = Term(6),
                           .previous = Revision(2),
                           .previous_term = Term(5),
                           .entries = {RefOf(3, 6)}});
  Sync();
  EXPECT_EQ(raft().membership(), VotersOf({1, 2, 3}, {4}));
  raft().Installed(now_, Revision(9), Term(6), VotersOf({1, 2}));
  EXPECT_EQ(raft().membership(), VotersOf({1, 2}));
  EXPECT_EQ(raft().last_index(), Revision(9));
}

}  // namespace
}  // namespace pando::raft
