#include "subscription.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pando::client {

bool Subscription::Wants(const v1::WatchEvent& event) const {
  return event.revision() > cursor &&
         std::any_of(targets.begin(), targets.end(),
                     [&](const v1::WatchTarget& target) { return Matches(target, event); });
}

void ReadyCallback::Run() {
  const std::lock_guard lock(mutex_);
  const std::function<void()> callback = callback_;  // it may drop itself
  if (callback) callback();
}

void ReadyCallback::Drop() {
  const std::lock_guard lock(mutex_);
  callback_ = nullptr;
}

bool Matches(const v1::WatchTarget& target, const v1::WatchEvent& event) {
  const std::string& path = event.path();
  if (target.kind() == v1::WATCH_KIND_CHILDREN) {
    const bool comes_or_goes =
        event.kind() == v1::EVENT_KIND_CREATED || event.kind() == v1::EVENT_KIND_DELETED;
    const std::string parent = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
    return comes_or_goes && path != "/" && parent == target.path();
  }
  if (path == target.path()) return true;
  const std::string below = target.path() == "/" ? "/" : absl::StrCat(target.path(), "/");
  return target.kind() == v1::WATCH_KIND_SUBTREE && absl::StartsWith(path, below);
}

}  // namespace pando::client
