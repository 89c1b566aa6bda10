// RecordedListener: for tests of wires: what a wire told, in its order, as text.
#ifndef PANDO_CLIENTS_BENCH_RECORDED_LISTENER_H_
#define PANDO_CLIENTS_BENCH_RECORDED_LISTENER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/wire.h"

namespace pando::load {

class RecordedListener : public Wire::Listener {
 public:
  // What was told since the last time.
  std::vector<std::string> Take() { return std::exchange(told_, {}); }

  void OnReady() override { told_.emplace_back("ready"); }
  void OnAnswer(Tag tag, Outcome outcome, std::string_view why) override {
    const char* const name = outcome == Outcome::kDone     ? "done"
                             : outcome == Outcome::kExists ? "exists"
                                                           : "failed";
    told_.push_back(absl::StrCat(static_cast<uint32_t>(tag), " ", name, why.empty() ? "" : ": ",
                                 base::View(why)));
  }
  void OnEvents(Tag tag, size_t count) override {
    told_.push_back(absl::StrCat(static_cast<uint32_t>(tag), " saw ", count));
  }

 private:
  std::vector<std::string> told_;
};

}  // namespace pando::load

#endif  // PANDO_CLIENTS_BENCH_RECORDED_LISTENER_H_
