#include "cli/signals.h"

#include <csignal>
#include <ctime>

#include "base/check.h"

namespace pando::cli {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGCHLD};

sigset_t SignalSet() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = SignalSet();
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  // After the block, or a signal could end the process in between.
  for (const int signal : kSignals) CHECK(std::signal(signal, SIG_DFL) != SIG_ERR);
}

int Signals::Wait(std::chrono::milliseconds timeout) {
  const sigset_t set = SignalSet();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  timespec limit{};
  limit.tv_sec = seconds.count();
  limit.tv_nsec = std::chrono::nanoseconds(timeout - seconds).count();
  const int signal = sigtimedwait(&set, nullptr, &limit);
  if (signal == SIGINT || signal == SIGTERM) stopped_ = true;
  return signal > 0 ? signal : 0;
}

bool Signals::Stopped() {
  // The queue holds at most one of each.
  while (!stopped_ && Wait(std::chrono::milliseconds(0)) != 0) {
  }
  return stopped_;
}

void Signals::Reset() {
  const sigset_t set = SignalSet();
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace pando::cli
