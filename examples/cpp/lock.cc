// A distributed lock: one at a time, first come first served, free again when its holder dies.
//
//   lock NAME: takes it, says its fencing token, and gives it back when its input ends
#include "pando/client/lock.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "connect.h"

using pando::client::Lock;

int main(int, char** argv) {
  const auto session = ToEnsemble();
  // The servers keep the queue (LockService), and wake only whoever is next. What the lock guards
  // outside Pando refuses a lower token than it has seen.
  const auto lock =
      Must(Lock::Take(session.get(), std::string("/locks/") + argv[1], std::chrono::minutes(1)));
  std::printf("token %" PRId64 "\n", lock->fencing_token());
  // Whoever holds it for long also reads session->Events(): SUSPENDED: pause; LOST: it is gone.
  WaitForEnd();
}
