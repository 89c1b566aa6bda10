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
  static constexpr int kNoInput = -1;

  Signals();
  ~Signals();

  // Returns when a signal has come, when there is something to read at `input`, or after `timeout`.
  // Whether there is something to read.
  bool Wait(std::chrono::milliseconds timeout, int input = kNoInput);
  // Whether INT or TERM has come, now or at an earlier call.
  bool Stopped();

  // For a child of fork: undoes all of it.
  static void Reset();

 private:
  // What has come so far.
  void Take();

  int fd_;  // signalfd
  bool stopped_ = false;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_SIGNALS_H_
