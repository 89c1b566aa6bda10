// Progress: one line on the terminal that moves while a long command works.
#ifndef PANDO_CLIENTS_CLI_PROGRESS_H_
#define PANDO_CLIENTS_CLI_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace pando::cli {

struct ProgressState {
  uint64_t done = 0;
  uint64_t total = 0;  // 0: not known
  uint64_t bytes = 0;
  std::chrono::milliseconds elapsed{0};
};
// "[#####---------------]  25%  500 of 2000  1.5 MiB  250/s"; without a total, without the bar.
std::string RenderProgress(const ProgressState& state);

// Draws on stderr if that is a terminal, at most ten times a second; silent otherwise. The line is
// wiped at the end.
class Progress {
 public:
  explicit Progress(uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Step(uint64_t bytes);
  std::chrono::milliseconds elapsed() const;

 private:
  const bool shown_;
  const std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
  ProgressState state_;
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_PROGRESS_H_
