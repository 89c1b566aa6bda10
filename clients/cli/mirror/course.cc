#include "cli/mirror/course.h"

#include <algorithm>

#include "absl/status/status.h"
#include "base/status.h"

namespace pando::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often `stopped` is asked when nothing happens.
constexpr milliseconds kAskEvery{50};

// How many nodes are due for another look, so that each has one in `round`.
class Pace {
 public:
  explicit Pace(milliseconds round) : round_(round), since_(Clock::now()) {}

  size_t Due(size_t nodes) {
    if (round_ <= milliseconds(0)) return 0;
    const std::chrono::duration<double> passed = Clock::now() - since_;
    const double due = static_cast<double>(nodes) * (passed / round_);
    if (due < 1) return 0;
    since_ = Clock::now();
    return std::min(static_cast<size_t>(due), nodes);
  }

 private:
  const milliseconds round_;
  Clock::time_point since_;
};

}  // namespace

absl::Status RunCourse(Mirror* mirror, const Course& course) {
  Pace pace(course.recheck);
  bool following = false;
  bool finishing = false;
  while (!mirror->done()) {
    const absl::StatusOr<bool> read = course.source(mirror);
    if (!read.ok()) return read.status();
    const absl::StatusOr<bool> written = course.target(mirror);
    if (!written.ok()) return written.status();
    if (mirror->top_is_missing()) return absl::NotFoundError("there is no such node");
    if (!following && mirror->scanned() && !course.once) {
      following = true;
      course.on_following();
    }
    if (!finishing && (course.stopped() || (course.once && mirror->scanned()))) {
      finishing = true;
      course.on_finishing();
      mirror->Finish();
      continue;
    }
    if (following && !finishing) mirror->RecheckSome(pace.Due(mirror->known()));
    if (!*read && !*written) course.bell->Wait(kAskEvery);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> WriteNowhere(Mirror* mirror) {
  bool any = false;
  while (const std::optional<Write> write = mirror->NextWrite()) {
    mirror->Written(*write, "");
    any = true;
  }
  return any;
}

}  // namespace pando::cli
