#include "cli/dev/input.h"

#include <unistd.h>

#include <cerrno>

#include "cli/signals.h"

namespace pando::cli {
namespace {

constexpr size_t kReadBytes = 4'096;
// No command is this long: what is, is not text that was meant for this program.
constexpr size_t kLineBytesMax = 64 << 10;

}  // namespace

LineInput::LineInput()
    : interactive_(::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) {}

int LineInput::descriptor() const {
  const bool in_background =
      ::isatty(STDIN_FILENO) != 0 && ::tcgetpgrp(STDIN_FILENO) != ::getpgrp();
  return ended_ || in_background ? Signals::kNoInput : STDIN_FILENO;
}

void LineInput::Read() {
  char bytes[kReadBytes];
  const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
  if (count < 0 && errno == EINTR) return;
  if (count > 0) text_.append(bytes, static_cast<size_t>(count));
  ended_ = count <= 0 || text_.size() > kLineBytesMax;
}

std::optional<std::string> LineInput::TakeLine() {
  const size_t end = text_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  return line;
}

}  // namespace pando::cli
