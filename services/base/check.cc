#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace pando::base {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

void Fatal(std::string_view what) {
  std::fprintf(stderr, "FATAL: %.*s\n", static_cast<int>(what.size()), what.data());
  std::fflush(stderr);
  // Not exit(): other threads still run, and must not meet destroyed statics.
  std::_Exit(70);
}

}  // namespace pando::base
