#include "raft/membership_log.h"

#include <vector>

#include "gtest/gtest.h"
#include "raft/testing/ensemble.h"

namespace pando::raft {
namespace {

using model::Revision;
using model::ServerId;
using Ids = std::vector<ServerId>;

TEST(MembershipLog, TheNewestIsInForce) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  log.Push(Revision(8), VotersOf({1, 2}, {3}));
  EXPECT_EQ(log.index(), Revision(8));
  EXPECT_EQ(log.voters(), (Ids{ServerId(1), ServerId(2)}));
  EXPECT_FALSE(log.IsVoter(ServerId(3)));
  EXPECT_TRUE(log.IsVoter(ServerId(2)));
  EXPECT_EQ(log.current(), VotersOf({1, 2}, {3}));
}

TEST(MembershipLog, ACutRollsBackToTheOneBefore) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  log.Push(Revision(8), VotersOf({1, 2, 3, 4}));
  log.Push(Revision(10), VotersOf({1, 2, 3, 4, 5}));
  log.CutFrom(Revision(11));
  EXPECT_EQ(log.index(), Revision(10));
  log.CutFrom(Revision(9));
  EXPECT_EQ(log.index(), Revision(8));
  EXPECT_EQ(log.voters().size(), 4u);
  log.CutFrom(Revision(6));
  EXPECT_EQ(log.index(), Revision(5));
  EXPECT_EQ(log.voters().size(), 3u);
}

TEST(MembershipLog, WhoIsNoVoterAnyMoreMayBeOneUntilThatIsCommitted) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  log.Push(Revision(8), VotersOf({1, 2}, {3}));
  log.Push(Revision(9), VotersOf({1, 2}, {3, 4}));
  EXPECT_TRUE(log.MayBeVoter(ServerId(3), {}, Revision(7)));
  EXPECT_FALSE(log.MayBeVoter(ServerId(3), {}, Revision(8)));
  EXPECT_FALSE(log.MayBeVoter(ServerId(4), {}, Revision(7)));
  EXPECT_TRUE(log.MayBeVoter(ServerId(1), {}, Revision(9)));
}

TEST(MembershipLog, WhoseDataIsGoneIsNoVoterUnderItsId) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  const model::StorageId own = log.current().Find(ServerId(3))->storage;
  const model::StorageId another(own.value() + 1'000);
  EXPECT_TRUE(log.IsVoter(ServerId(3), own));
  EXPECT_TRUE(log.MayBeVoter(ServerId(3), own, Revision(5)));
  EXPECT_FALSE(log.IsVoter(ServerId(3), another));
  EXPECT_FALSE(log.MayBeVoter(ServerId(3), another, Revision(5)));
  // One that has not connected yet is whoever has its id.
  model::Membership unnamed = VotersOf({1, 2, 3});
  unnamed.Find(ServerId(3))->storage = {};
  log.Push(Revision(8), unnamed);
  EXPECT_TRUE(log.IsVoter(ServerId(3), another));
}

TEST(MembershipLog, WhatIsCommittedIsNeverCut) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  EXPECT_DEATH(log.CutFrom(Revision(5)), "");
  log.Push(Revision(8), VotersOf({1, 2}));
  log.Compact(Revision(8));
  EXPECT_DEATH(log.CutFrom(Revision(8)), "");
}

TEST(MembershipLog, CompactingChangesNothingOfWhatIsInForce) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  log.Push(Revision(8), VotersOf({1, 2}));
  log.Push(Revision(12), VotersOf({1}));
  log.Compact(Revision(11));
  EXPECT_EQ(log.index(), Revision(12));
  log.CutFrom(Revision(12));
  EXPECT_EQ(log.index(), Revision(8));
  EXPECT_EQ(log.voters().size(), 2u);
}

TEST(MembershipLog, OneThatIsNotNewerIsNone) {
  MembershipLog log(Revision(5), VotersOf({1, 2, 3}));
  EXPECT_DEATH(log.Push(Revision(5), VotersOf({1})), "");
}

}  // namespace
}  // namespace pando::raft
