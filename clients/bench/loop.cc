#include "bench/loop.h"

#include <utility>

namespace pando::load {

absl::Status Loop::Run() {
  if (failure_.ok() && !finished_) {
    context_.restart();
    context_.run();
  }
  finished_ = false;
  return failure_;
}

absl::Status Loop::RunFor(base::Duration timeout, std::string_view what) {
  Alarm alarm(this);
  alarm.Set(now() + timeout, [&] { Fail(absl::UnavailableError(base::View(what))); });
  return Run();
}

void Loop::Finish() {
  finished_ = true;
  context_.stop();
}

void Loop::Fail(const absl::Status& status) {
  if (failure_.ok()) failure_ = status;
  context_.stop();
}

void Alarm::Set(base::Instant when, std::function<void()> what) {
  what_ = std::make_shared<std::function<void()>>(std::move(what));
  timer_.expires_at(asio::steady_timer::time_point(when.since_start));
  timer_.async_wait([what = std::weak_ptr(what_)](const asio::error_code& error) {
    const auto alive = what.lock();
    if (!error && alive != nullptr) (*alive)();
  });
}

}  // namespace pando::load
