#include "server/signals.h"

#include <signal.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace pando::server {
namespace {

// Each test is a process of its own: what it does to its signals must not outlive it.

TEST(SignalsDeathTest, BothAreWaitedFor) {
  for (const int number : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          HoldStopSignals();
          kill(getpid(), number);
          _exit(WaitForStopSignal());
        },
        testing::ExitedWithCode(number), "");
  }
}

TEST(SignalsDeathTest, AlsoWhereTheyWereInheritedIgnored) {
  EXPECT_EXIT(
      {
        signal(SIGINT, SIG_IGN);
        HoldStopSignals();
        kill(getpid(), SIGINT);
        _exit(WaitForStopSignal());
      },
      testing::ExitedWithCode(SIGINT), "");
}

TEST(SignalsDeathTest, ASecondOneEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        HoldStopSignals();
        kill(getpid(), SIGTERM);
        WaitForStopSignal();
        kill(getpid(), SIGTERM);
        _exit(0);
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
}

}  // namespace
}  // namespace pando::server
