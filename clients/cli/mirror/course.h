// RunCourse: a copy from its beginning to its end, with people told how it goes.
//
// The source and the target are things to be driven: each takes and gives what it can without
// waiting for the other, and says whether there was anything.
#ifndef PANDO_CLIENTS_CLI_MIRROR_COURSE_H_
#define PANDO_CLIENTS_CLI_MIRROR_COURSE_H_

#include <chrono>
#include <functional>

#include "absl/status/statusor.h"
#include "cli/mirror/doorbell.h"
#include "cli/mirror/mirror.h"

namespace pando::cli {

using Drive = std::function<absl::StatusOr<bool>(Mirror*)>;

struct Course {
  Drive source;
  Drive target;
  Doorbell* bell = nullptr;  // rings when there is something for either
  // Ends with the first round instead of following until it is stopped.
  bool once = false;
  // In so long each node is looked at again: nobody tells of a new ACL.
  std::chrono::milliseconds recheck{0};
  // Asked often: whether an end is wanted.
  std::function<bool()> stopped;
  // The first round is over.
  std::function<void()> on_following;
  // The end has been asked for, and everything is looked at once more.
  std::function<void()> on_finishing;
};

// Until the target has all that the source had when the end was asked for. NOT_FOUND: the source
// has no such node.
absl::Status RunCourse(Mirror* mirror, const Course& course);

// Does all writes without doing anything: for counting, and for a tree that is only looked at.
absl::StatusOr<bool> WriteNowhere(Mirror* mirror);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_MIRROR_COURSE_H_
