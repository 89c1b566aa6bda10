#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/output.h"

namespace pando::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kDrawEvery{100};
constexpr size_t kBarColumns = 20;
constexpr char kWipeLine[] = "\r\033[K";

}  // namespace

std::string RenderProgress(const ProgressState& state) {
  std::string line;
  if (state.total > 0) {
    const uint64_t done = std::min(state.done, state.total);
    const size_t filled = static_cast<size_t>(done * kBarColumns / state.total);
    absl::StrAppend(&line, "[", std::string(filled, '#'), std::string(kBarColumns - filled, '-'),
                    "] ", absl::StrFormat("%3d%%", done * 100 / state.total), "  ", done, " of ",
                    state.total);
  } else {
    absl::StrAppend(&line, state.done);
  }
  const auto ms = std::max<milliseconds::rep>(state.elapsed.count(), 1);
  absl::StrAppend(&line, "  ", BytesText(state.bytes), "  ",
                  state.done * 1000 / static_cast<uint64_t>(ms), "/s");
  return line;
}

Progress::Progress(uint64_t total)
    : shown_(::isatty(STDERR_FILENO) != 0), started_(Clock::now()), drawn_(started_) {
  state_.total = total;
}

Progress::~Progress() {
  if (shown_) std::fputs(kWipeLine, stderr);
}

void Progress::Step(uint64_t bytes) {
  ++state_.done;
  state_.bytes += bytes;
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < kDrawEvery) return;
  drawn_ = now;
  state_.elapsed = elapsed();
  std::fprintf(stderr, "%s%s", kWipeLine, RenderProgress(state_).c_str());
}

milliseconds Progress::elapsed() const {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
}

}  // namespace pando::cli
