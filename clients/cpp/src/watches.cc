#include "watches.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "errors.h"

namespace pando::client {
namespace {

void EndOne(Subscription* watch, const absl::Status& end) {
  watch->events.End(end);
  watch->on_ready.Run();
}

}  // namespace

absl::Status Watches::Add(std::shared_ptr<Subscription> watch) {
  size_t count = watch->targets.size();
  for (const auto& other : all_) count += other->targets.size();
  if (count > kTargetsMax) {
    return MakeError(Reason::kTooLarge, absl::StatusCode::kInvalidArgument,
                     absl::StrCat("a session watches at most ", kTargetsMax, " targets"));
  }
  all_.push_back(std::move(watch));
  Change();
  return absl::OkStatus();
}

void Watches::Remove(const std::shared_ptr<Subscription>& watch) {
  const auto found = std::find(all_.begin(), all_.end(), watch);
  if (found == all_.end()) return;
  all_.erase(found);
  Change();
}

void Watches::Resume(const std::shared_ptr<Subscription>& watch) {
  if (watch->lagging.exchange(false)) Change();
}

std::optional<v1::WatchRequest> Watches::Request(const v1::RequestHeader& header) {
  Disconnected();
  const auto live = Live();
  if (live.empty()) return std::nullopt;
  v1::WatchRequest request;
  *request.mutable_header() = header;
  request.set_start_revision(Cursor() + 1);
  for (const auto& watch : live) {
    request.mutable_targets()->Add(watch->targets.begin(), watch->targets.end());
  }
  return request;
}

void Watches::Disconnected() {
  opened_at_ = kNever;
  partial_.clear();
}

void Watches::Take(v1::WatchResponse response) {
  if (opened_at_ == kNever) opened_at_ = response.header().revision();
  std::move(response.mutable_events()->begin(), response.mutable_events()->end(),
            std::back_inserter(partial_));
  if (response.partial()) return;  // a stream that is resumed begins the revision again
  const std::vector<v1::WatchEvent> events = std::exchange(partial_, {});
  bool lags = false;
  for (const auto& watch : Live()) {
    std::vector<v1::WatchEvent> its;
    std::copy_if(events.begin(), events.end(), std::back_inserter(its),
                 [&](const v1::WatchEvent& event) { return watch->Wants(event); });
    watch->cursor = std::max(watch->cursor, response.progress_revision());
    if (its.empty()) continue;
    // First: who takes the last of them must see that the stream is to come back.
    if (watch->events.size() + its.size() > Subscription::kEventsMax) {
      watch->lagging = true;
      lags = true;
    }
    watch->events.Put(std::move(its));
    watch->on_ready.Run();
  }
  if (lags) {
    Change();
  } else {
    moved_();
  }
}

void Watches::Compacted(const absl::Status& error) {
  auto gone = Live();
  const auto kept = std::stable_partition(gone.begin(), gone.end(), [&](const auto& watch) {
    return watch->cursor + 1 < OldestRevisionOf(error);
  });
  // One of them must be why.
  if (kept != gone.begin()) gone.erase(kept, gone.end());
  for (const auto& watch : gone) {
    all_.erase(std::find(all_.begin(), all_.end(), watch));
    EndOne(watch.get(), error);
  }
  Change();
}

bool Watches::HasTold(const v1::ResponseHeader& header) const {
  // A reply as old as the stream may come from when the server did not know the stream yet.
  const int64_t due =
      header.revision() <= opened_at_ ? header.revision() : header.stream_revision();
  return due <= Cursor();
}

void Watches::End(const absl::Status& end) {
  for (const auto& watch : std::exchange(all_, {})) EndOne(watch.get(), end);
}

std::vector<std::shared_ptr<Subscription>> Watches::Live() const {
  std::vector<std::shared_ptr<Subscription>> live;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(live),
               [](const auto& watch) { return !watch->lagging; });
  return live;
}

int64_t Watches::Cursor() const {
  int64_t cursor = kNever;
  for (const auto& watch : all_) {
    if (!watch->lagging) cursor = std::min(cursor, watch->cursor);
  }
  return cursor;
}

void Watches::Change() {
  changed_();
  moved_();
}

}  // namespace pando::client
