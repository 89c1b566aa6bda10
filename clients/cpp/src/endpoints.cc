#include "endpoints.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pando::client {

void Endpoints::WasGood() {
  failures_.clear();
  tried_ = 0;
  pause_ = kPauseMin;
}

std::chrono::milliseconds Endpoints::Leave(const absl::Status& why) {
  failures_[current()] = std::string(why.message());
  current_ = (current_ + 1) % all_.size();
  if (++tried_ % all_.size() != 0) return std::chrono::milliseconds(0);
  return std::exchange(pause_, std::min(2 * pause_, kPauseMax));
}

std::string Endpoints::Failures() const {
  std::vector<std::string> failures;
  for (const std::string& endpoint : all_) {
    const auto found = failures_.find(endpoint);
    if (found != failures_.end()) {
      failures.push_back(absl::StrCat(endpoint, ": ", found->second));
    } else if (endpoint == current()) {
      failures.push_back(absl::StrCat(endpoint, ": has not answered yet"));
    }
  }
  return absl::StrJoin(failures, "; ");
}

}  // namespace pando::client
