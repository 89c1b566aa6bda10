#include "posix/thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "base/check.h"

namespace pando::posix {
namespace {

constexpr size_t kNameBytesMax = 15;  // of the kernel; without the zero

// All signals but those that a thread's own fault raises: those kill it all the same when they are
// blocked, but no handler, as a sanitizer's, could say where.
sigset_t SignalsForMain() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    sigdelset(&set, fault);
  }
  return set;
}

}  // namespace

void NameThread(const std::string& name) {
  CHECK(name.size() <= kNameBytesMax);
  CHECK(pthread_setname_np(pthread_self(), name.c_str()) == 0);
}

Thread::Thread(std::string name, std::function<void()> body) {
  CHECK(name.size() <= kNameBytesMax);
  CHECK(body != nullptr);
  // A thread inherits its maker's mask. Blocking them in its body would leave a moment in which it
  // takes a signal.
  const sigset_t blocked = SignalsForMain();
  sigset_t before;
  CHECK(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  try {
    thread_ = std::thread([name, body = std::move(body)] {
      NameThread(name);
      body();
    });
  } catch (const std::system_error& e) {
    base::Fatal("cannot start the thread " + name + ": " + e.what());
  }
  CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}

void Thread::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace pando::posix
