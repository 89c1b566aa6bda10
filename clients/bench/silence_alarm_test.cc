#include "bench/silence_alarm.h"

#include <gtest/gtest.h>

namespace pando::load {
namespace {

using std::chrono::milliseconds;

constexpr base::Duration kSilenceMax = milliseconds(20);

TEST(SilenceAlarm, WhatIsNotAnsweredFailsTheLoop) {
  Loop loop;
  SilenceAlarm alarm(&loop, kSilenceMax, "they are silent");
  alarm.Start([] { return true; });
  EXPECT_EQ(loop.Run(), absl::UnavailableError("they are silent"));
}

// A loop that is late runs what was due first: the answer, and then the look.
TEST(SilenceAlarm, EachAnswerPutsItOff) {
  Loop loop;
  SilenceAlarm silence(&loop, kSilenceMax, "they are silent");
  silence.Start([] { return true; });
  Alarm answer(&loop);
  int left = 20;
  const std::function<void()> answer_in_time = [&] {
    silence.OnAnswer();
    if (--left == 0) return loop.Finish();
    answer.Set(loop.now() + kSilenceMax / 4, answer_in_time);
  };
  answer_in_time();
  EXPECT_TRUE(loop.Run().ok());
}

TEST(SilenceAlarm, WhereNothingIsAwaitedThereIsNoSilence) {
  Loop loop;
  SilenceAlarm silence(&loop, kSilenceMax, "they are silent");
  silence.Start([] { return false; });
  Alarm end(&loop);
  end.Set(loop.now() + 3 * kSilenceMax, [&] { loop.Finish(); });
  EXPECT_TRUE(loop.Run().ok());
}

}  // namespace
}  // namespace pando::load
