#include "bench/tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "bench/schedule.h"

namespace pando::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::Instant kBegin{seconds(100)};
constexpr base::Instant kEnd = kBegin + seconds(10);

TEST(Tally, OnlyWhatStartedInTheWindowCounts) {
  Tally tally(kBegin, kEnd);
  tally.Answer(kBegin - milliseconds(1), kBegin + milliseconds(1));
  EXPECT_EQ(tally.answered(), 0u);
  tally.Answer(kBegin, kBegin + milliseconds(5));
  tally.Answer(kEnd - milliseconds(1), kEnd + milliseconds(20));
  tally.Answer(kEnd, kEnd + milliseconds(30));
  EXPECT_EQ(tally.answered(), 2u);
  EXPECT_EQ(tally.elapsed(), seconds(10) + milliseconds(20));
  EXPECT_EQ(tally.latencies().max(), milliseconds(21));
}

TEST(Tally, FailuresAreAnswersTooAndTheFirstIsTold) {
  Tally tally(kBegin, kEnd);
  tally.Failure(kBegin - milliseconds(1), kBegin, "while warming up");
  tally.Failure(kBegin, kBegin + milliseconds(1), "no node");
  tally.Failure(kBegin, kBegin + milliseconds(2), "another");
  EXPECT_EQ(tally.failed(), 2u);
  EXPECT_EQ(tally.answered(), 2u);
  EXPECT_EQ(tally.first_failure(), "no node");
}

TEST(Tally, TheLowestSecondIsOneInTheMiddle) {
  Tally tally(kBegin, kEnd);
  for (const int64_t ms : {10, 1'100, 1'200, 1'300, 2'100, 2'200, 3'100}) {
    tally.Answer(kBegin, kBegin + milliseconds(ms));
  }
  EXPECT_EQ(tally.lowest_second(), 2u);
  EXPECT_EQ(Tally(kBegin, kEnd).lowest_second(), 0u);
}

TEST(Tally, WithoutAnswersThereIsNoRate) { EXPECT_EQ(Tally(kBegin, kEnd).per_second(), 0); }

// An open loop against a server that answers within 1 ms, but for one stall of 2 s.
TEST(Tally, AStallIsInTheLatenciesOfAllThatFellDueInIt) {
  const base::Instant stall = kBegin + seconds(4);
  const base::Instant stall_end = stall + seconds(2);
  const Schedule schedule(kBegin, 1'000);
  Tally tally(kBegin, kEnd);
  std::vector<base::Duration> samples;
  for (uint64_t number = 0; number < 10'000; ++number) {
    const base::Instant due = schedule.DueAt(number);
    const bool stalled = due >= stall && due < stall_end;
    const base::Instant answered = (stalled ? stall_end : due) + milliseconds(1);
    tally.Answer(due, answered);
    samples.push_back(answered - due);
  }
  std::sort(samples.begin(), samples.end());
  // One in five waited, so the p90 is in the middle of the stall. A loop that waits for its own
  // answers would have had one slow operation.
  const base::Duration exact = samples[samples.size() * 9 / 10 - 1];
  EXPECT_GE(exact, milliseconds(990));
  EXPECT_GE(tally.latencies().Quantile(0.9), exact);
  EXPECT_LE(tally.latencies().Quantile(0.9), exact + exact / 127);
}

TEST(Tally, WhatWasNeverSentTookAtLeastUntilNow) {
  Tally tally(kBegin, kEnd);
  tally.Answer(kBegin, kBegin + milliseconds(1));
  tally.Unsent(kBegin + seconds(1), kEnd);
  EXPECT_EQ(tally.unsent(), 1u);
  EXPECT_EQ(tally.answered(), 1u);
  EXPECT_EQ(tally.latencies().count(), 2u);
  EXPECT_EQ(tally.latencies().max(), seconds(9));
}

}  // namespace
}  // namespace pando::load
