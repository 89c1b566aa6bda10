// Endpoints: where to look for a server next, and what was wrong where it was looked. The session's
// thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_ENDPOINTS_H_
#define PANDO_CLIENTS_CPP_SRC_ENDPOINTS_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pando::client {

class Endpoints final {
 public:
  // REQUIRES: !all.empty().
  explicit Endpoints(std::vector<std::string> all) : all_(std::move(all)) {}

  const std::string& current() const { return all_[current_]; }

  // The next round begins at once.
  void WasGood();
  // Goes on to the next one, and says after what pause.
  std::chrono::milliseconds Leave(const absl::Status& why);
  // What was wrong with each that was tried.
  std::string Failures() const;

 private:
  // Between two rounds in which none was of use.
  static constexpr std::chrono::milliseconds kPauseMin{20};
  static constexpr std::chrono::milliseconds kPauseMax{500};

  const std::vector<std::string> all_;
  std::map<std::string, std::string> failures_;
  size_t current_ = 0;
  size_t tried_ = 0;
  std::chrono::milliseconds pause_ = kPauseMin;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_ENDPOINTS_H_
