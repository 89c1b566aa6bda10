// INT and TERM as something to ask for, not something that interrupts.
#ifndef PANDO_CLIENTS_CLI_SIGNALS_H_
#define PANDO_CLIENTS_CLI_SIGNALS_H_

#include <chrono>

namespace pando::cli {

// Blocks INT, TERM and CHLD for this thread and those it starts from now on, and takes them with
// Wait. INT and TERM count also where the parent had set them to be ignored, as shells and nohup
// do with what they put into the background.
// REQUIRES: made before any other thread is started. Used by one thread.
class Signals {
 public:
  Signals();

  // The signal that came, or 0 after `timeout`.
  int Wait(std::chrono::milliseconds timeout);
  // Whether INT or TERM has come, now or at an earlier call.
  bool Stopped();

  // For a child of fork: undoes all of it.
  static void Reset();

 private:
  bool stopped_ = false;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SIGNALS_H_
