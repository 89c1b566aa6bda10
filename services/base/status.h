// Small words on absl::Status.
#ifndef PANDO_BASE_STATUS_H_
#define PANDO_BASE_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pando::base {

// `status` with "context: " before its message; OK stays OK.
[[nodiscard]] absl::Status Annotate(const absl::Status& status, std::string_view context);

// A view that abseil's older string_view accepts, for libraries built before C++17.
inline absl::string_view View(std::string_view s) { return {s.data(), s.size()}; }

}  // namespace pando::base

// Returns from the enclosing function when `expression` is not OK.
#define PANDO_RETURN_IF_ERROR(expression)        \
  do {                                           \
    absl::Status pando_status = (expression);    \
    if (!pando_status.ok()) return pando_status; \
  } while (false)

#endif  // PANDO_BASE_STATUS_H_
