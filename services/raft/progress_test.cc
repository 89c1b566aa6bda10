#include "raft/progress.h"

#include <chrono>

#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::raft {
namespace {

using model::Revision;
using State = Progress::State;

Progress Replicating(uint64_t match) {
  Progress progress(Revision(match + 1));
  progress.Taken(Revision(match));
  return progress;
}

TEST(Progress, ProbesWithOneMessageUntilItIsTaken) {
  Progress progress(Revision(10));
  ASSERT_TRUE(progress.MaySend());
  progress.Sent(Revision(12), 100, 1);
  EXPECT_FALSE(progress.MaySend());
  EXPECT_EQ(progress.next(), Revision(10));
  EXPECT_TRUE(progress.Taken(Revision(12)));
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.match(), Revision(12));
  EXPECT_EQ(progress.next(), Revision(13));
}

// The follower may acknowledge what came before, while it still writes what the probe carried.
TEST(Progress, WhatAProbeCarriedIsNotSentAgain) {
  Progress progress(Revision(10));
  progress.Sent(Revision(12), model::kInFlightBytesMax, 1);
  EXPECT_TRUE(progress.Taken(Revision(9)));
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.next(), Revision(13));
  EXPECT_FALSE(progress.MaySend());
  EXPECT_TRUE(progress.Taken(Revision(12)));
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, AnAcknowledgementOfBeforeAProbeSaysNothingOfIt) {
  Progress progress(Revision(10));
  progress.Sent(Revision(12), 100, 1);
  EXPECT_TRUE(progress.Taken(Revision(5)));
  EXPECT_EQ(progress.next(), Revision(6));
  progress.Refused(Revision(9), Revision(5));  // which was so
  EXPECT_EQ(progress.next(), Revision(6));
}

TEST(Progress, AProbeThatIsLostIsSentAgainAfterALaterRound) {
  Progress progress(Revision(10));
  progress.Sent(Revision(12), 100, 3);
  progress.Heard(3, Revision());  // of a round that began before it
  EXPECT_FALSE(progress.MaySend());
  progress.Heard(4, Revision());
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, PipelinesUpToItsLimitOfMessagesAndNotBeyond) {
  Progress progress = Replicating(0);
  uint64_t last = 0;
  for (size_t i = 0; i < model::kInFlightMessagesMax; ++i) {
    ASSERT_TRUE(progress.MaySend()) << i;
    progress.Sent(Revision(++last), 1, 1);
  }
  EXPECT_FALSE(progress.MaySend());
  progress.Taken(Revision(1));
  EXPECT_TRUE(progress.MaySend());
  progress.Sent(Revision(++last), 1, 1);
  EXPECT_FALSE(progress.MaySend());
  progress.Taken(Revision(last));  // one acknowledgement for all
  for (size_t i = 0; i < model::kInFlightMessagesMax; ++i) progress.Sent(Revision(++last), 1, 1);
  EXPECT_FALSE(progress.MaySend());
}

TEST(Progress, PipelinesUpToItsLimitOfBytesAndNotBeyond) {
  Progress progress = Replicating(0);
  progress.Sent(Revision(1), model::kInFlightBytesMax - 1, 1);
  ASSERT_TRUE(progress.MaySend());
  progress.Sent(Revision(2), 1, 1);
  EXPECT_FALSE(progress.MaySend());
  progress.Taken(Revision(1));
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, AnEmptyMessageTakesNothingOfTheLimits) {
  Progress progress = Replicating(5);
  for (size_t i = 0; i < 2 * model::kInFlightMessagesMax; ++i) progress.Sent(Revision(5), 0, 1);
  EXPECT_TRUE(progress.MaySend());
}

struct Refusal {
  const char* what;
  uint64_t match, previous, hint, next;
};

TEST(Progress, ARefusalLeadsToWhereTheLogsMayAgree) {
  const Refusal cases[] = {
      {"the hint is followed", 0, 9, 4, 5},
      {"but never below what is known", 6, 9, 4, 7},
      {"and never to where it was refused", 0, 9, 9, 9},
      {"one of long ago is none", 9, 9, 4, 10},
  };
  for (const Refusal& c : cases) {
    Progress progress = Replicating(c.match);
    if (c.match < 9) progress.Sent(Revision(12), 10, 1);
    progress.Refused(Revision(c.previous), Revision(c.hint));
    EXPECT_EQ(progress.next(), Revision(c.next)) << c.what;
  }
}

TEST(Progress, ARefusalThatIsRepeatedMovesAProbeOnce) {
  Progress progress(Revision(10));
  progress.Sent(Revision(9), 0, 1);
  progress.Refused(Revision(9), Revision(5));
  progress.Sent(Revision(5), 0, 1);
  progress.Refused(Revision(9), Revision(5));
  EXPECT_EQ(progress.next(), Revision(6));
  EXPECT_FALSE(progress.MaySend());
}

TEST(Progress, WhatALaterRoundDoesNotKnowOfIsSentAgain) {
  Progress progress = Replicating(5);
  progress.Sent(Revision(8), 100, 2);
  progress.Heard(2, Revision(5));
  EXPECT_EQ(progress.next(), Revision(9));
  progress.Heard(3, Revision(8));  // it arrived, and is not on disk yet
  EXPECT_EQ(progress.next(), Revision(9));
  progress.Heard(4, Revision(7));
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.next(), Revision(6));
}

TEST(Progress, ASnapshotIsWaitedForUntilItIsNews) {
  Progress progress = Replicating(5);
  progress.WaitForSnapshot();
  EXPECT_FALSE(progress.MaySend());
  progress.Taken(Revision(5));
  progress.Refused(Revision(9), Revision(7));
  progress.Heard(99, Revision(5));
  EXPECT_EQ(progress.state(), State::kSnapshot);
  progress.Taken(Revision(20));
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.next(), Revision(21));
}

TEST(Progress, AnOlderAcknowledgementTakesNothingBack) {
  Progress progress = Replicating(9);
  progress.Sent(Revision(12), 100, 1);
  EXPECT_FALSE(progress.Taken(Revision(3)));
  EXPECT_EQ(progress.match(), Revision(9));
  EXPECT_EQ(progress.next(), Revision(13));
}

TEST(Progress, ARestartForgetsWhatWasUnderWayAndNotWhatWasTaken) {
  Progress progress = Replicating(9);
  for (size_t i = 0; i < model::kInFlightMessagesMax; ++i) progress.Sent(Revision(10 + i), 1, 1);
  progress.Restart(Revision(500));
  EXPECT_TRUE(progress.MaySend());
  EXPECT_EQ(progress.match(), Revision(9));
  EXPECT_EQ(progress.next(), Revision(500));
  progress.Sent(Revision(499), 0, 1);
  progress.Taken(Revision(9));
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, AnInstallationWhoseWordIsLostIsHeardOfWithAHeartbeat) {
  Progress progress = Replicating(5);
  progress.WaitForSnapshot();
  progress.Heard(98, Revision(20));  // not by this snapshot: it is still being sent
  EXPECT_EQ(progress.state(), State::kSnapshot);
  progress.SnapshotSent(base::Instant(std::chrono::seconds(60)));
  progress.Heard(99, Revision(20));
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.next(), Revision(21));
}

}  // namespace
}  // namespace pando::raft
