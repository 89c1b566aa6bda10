// CHECK: broken invariants stop the process, in release builds too.
//
// Three kinds of trouble, never mixed: an operating error is an absl::Status; a broken invariant is
// a CHECK; an environment that lies (a failed sync, rotten data of our own) is Fatal().
#ifndef PANDO_BASE_CHECK_H_
#define PANDO_BASE_CHECK_H_

#include <string_view>

namespace pando::base {

// Prints `what` with its place to stderr and aborts. Thread-safe.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

// Stops the process because the world under it broke its word: `what` says which file and where.
// Exit status 70 and no core: there is nothing to debug in this program. Thread-safe.
[[noreturn]] void Fatal(std::string_view what);

}  // namespace pando::base

#undef CHECK
#define CHECK(condition)                                          \
  do {                                                            \
    if (!(condition)) [[unlikely]] {                              \
      ::pando::base::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                             \
  } while (false)

#endif  // PANDO_BASE_CHECK_H_
