#include "posix/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <string>

namespace pando::posix {
namespace {

sigset_t MaskOfThisThread() {
  sigset_t mask;
  sigemptyset(&mask);
  EXPECT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  return mask;
}

std::string NameOfThisThread() {
  char name[16] = {};
  EXPECT_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
  return name;
}

TEST(Thread, HasItsName) {
  std::string name;
  {
    Thread thread("fifteen bytes..", [&] { name = NameOfThisThread(); });
  }
  EXPECT_EQ(name, "fifteen bytes..");
}

TEST(ThreadDeathTest, ALongerNameIsABug) {
  EXPECT_DEATH(Thread("sixteen bytes...", [] {}), "name.size");
}

TEST(Thread, LeavesSignalsToMain) {
  // Not what an earlier test may have left.
  sigset_t before;
  sigemptyset(&before);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
  sigset_t inside;
  {
    Thread thread("t", [&] { inside = MaskOfThisThread(); });
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD, SIGALRM}) {
    EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
  }
  // A fault is the thread's own.
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    EXPECT_EQ(sigismember(&inside, signal), 0) << signal;
  }
  const sigset_t after = MaskOfThisThread();
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal)) << signal;
  }
}

TEST(Thread, JoinWaitsForTheBody) {
  bool ran = false;
  Thread thread("t", [&] { ran = true; });
  thread.Join();
  EXPECT_TRUE(ran);
  thread.Join();
}

}  // namespace
}  // namespace pando::posix
