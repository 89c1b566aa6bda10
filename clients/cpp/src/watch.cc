#include "pando/client/watch.h"

#include <utility>

#include "core.h"
#include "errors.h"
#include "subscription.h"

namespace pando::client {
namespace {

v1::WatchTarget Target(std::string path, v1::WatchKind kind, bool with_data) {
  v1::WatchTarget target;
  target.set_path(std::move(path));
  target.set_kind(kind);
  target.set_with_data(with_data);
  return target;
}

}  // namespace

v1::WatchTarget WatchNode(std::string path) {
  return Target(std::move(path), v1::WATCH_KIND_NODE, true);
}

v1::WatchTarget WatchChildren(std::string path) {
  return Target(std::move(path), v1::WATCH_KIND_CHILDREN, false);
}

v1::WatchTarget WatchSubtree(std::string path) {
  return Target(std::move(path), v1::WATCH_KIND_SUBTREE, true);
}

Watch::Watch(std::shared_ptr<Core> core, std::shared_ptr<Subscription> subscription)
    : core_(std::move(core)), subscription_(std::move(subscription)) {}

Watch::~Watch() { Close(); }

absl::StatusOr<v1::WatchEvent> Watch::Next() { return Taken(subscription_->events.Next()); }

absl::StatusOr<v1::WatchEvent> Watch::Next(std::chrono::milliseconds timeout) {
  return Taken(subscription_->events.Next(timeout));
}

size_t Watch::size() const { return subscription_->events.size(); }

const std::vector<v1::WalkEntry>& Watch::initial() const { return subscription_->initial; }

int64_t Watch::start_revision() const { return subscription_->start_revision; }

void Watch::Close() {
  core_->Unwatch(subscription_);
  subscription_->on_ready.Drop();
  subscription_->events.End(Closed());
}

absl::StatusOr<v1::WatchEvent> Watch::Taken(absl::StatusOr<v1::WatchEvent> event) {
  if (subscription_->lagging && subscription_->events.size() <= Subscription::kEventsMax / 2) {
    core_->Resume(subscription_);
  }
  return event;
}

}  // namespace pando::client
