#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/check.h"

namespace pando::server {
namespace {

constexpr int kStopSignals[] = {SIGINT, SIGTERM};

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kStopSignals) sigaddset(&set, number);
  return set;
}

void Disposition(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  CHECK(sigaction(number, &action, nullptr) == 0);
}

// A handler and not the default action: that would not end process 1 of a container.
void ExitAtOnce(int number) { _exit(128 + number); }

}  // namespace

void HoldStopSignals() {
  Disposition(SIGPIPE, SIG_IGN);
  // A signal that is ignored is thrown away before anybody can wait for it.
  for (const int number : kStopSignals) Disposition(number, SIG_DFL);
  const sigset_t set = StopSignals();
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
}

int WaitForStopSignal() {
  const sigset_t set = StopSignals();
  int number = 0;
  CHECK(sigwait(&set, &number) == 0);
  for (const int stop : kStopSignals) Disposition(stop, ExitAtOnce);
  CHECK(pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0);
  return number;
}

}  // namespace pando::server
