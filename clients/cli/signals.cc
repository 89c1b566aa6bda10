#include "cli/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iterator>

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
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd_ >= 0);
}

Signals::~Signals() { ::close(fd_); }

bool Signals::Wait(std::chrono::milliseconds timeout, int input) {
  // poll passes over a negative descriptor.
  pollfd waits[] = {{fd_, POLLIN, 0}, {input, POLLIN, 0}};
  // Interrupted by a signal that is not ours: the caller waits again.
  ::poll(waits, std::size(waits), static_cast<int>(timeout.count()));
  Take();
  return waits[1].revents != 0;
}

bool Signals::Stopped() {
  Take();
  return stopped_;
}

void Signals::Take() {
  signalfd_siginfo told{};
  while (::read(fd_, &told, sizeof(told)) == sizeof(told)) {
    if (told.ssi_signo == SIGINT || told.ssi_signo == SIGTERM) stopped_ = true;
  }
}

void Signals::Reset() {
  const sigset_t set = SignalSet();
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace pando::cli
