// Watches: what a session watches, all of it on one stream.
//
// One stream, because only so it is known which events precede a reply: stream_revision says how
// far the session's streams must have come, and a stream without an event there would say so only
// with its next progress mark. Each watch has a cursor of its own; the stream goes on from the
// lowest, and every watch takes what is above its own.
//
// The session's thread's own.
#ifndef PANDO_CLIENTS_CPP_SRC_WATCHES_H_
#define PANDO_CLIENTS_CPP_SRC_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "pando/v1/tree.pb.h"
#include "subscription.h"

namespace pando::client {

class Watches final {
 public:
  static constexpr size_t kTargetsMax = 10'000;

  using Task = absl::AnyInvocable<void()>;
  // `changed`: the stream at hand no longer fits what is watched; `moved`: replies may be due that
  // were held back.
  Watches(Task changed, Task moved) : changed_(std::move(changed)), moved_(std::move(moved)) {}

  // kTooLarge: with it there would be too many targets.
  absl::Status Add(std::shared_ptr<Subscription> watch);
  void Remove(const std::shared_ptr<Subscription>& watch);
  // It no longer lags.
  void Resume(const std::shared_ptr<Subscription>& watch);

  // Opens the stream, where there is something to watch.
  std::optional<v1::WatchRequest> Request(const v1::RequestHeader& header);
  void Disconnected();
  // A message of the stream: its events to those who watch for them.
  void Take(v1::WatchResponse response);
  // Changes from below the error's oldest revision are gone: so are the watches that need them.
  void Compacted(const absl::Status& error);

  // All was told that comes before a reply with this header.
  bool HasTold(const v1::ResponseHeader& header) const;

  // Ends all with `end`.
  void End(const absl::Status& end);

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::vector<std::shared_ptr<Subscription>> Live() const;
  int64_t Cursor() const;
  void Change();

  Task changed_;
  Task moved_;
  std::vector<std::shared_ptr<Subscription>> all_;
  std::vector<v1::WatchEvent> partial_;
  int64_t opened_at_ = kNever;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_SRC_WATCHES_H_
