// Watch: the events of some targets, each once, in order, without a gap, over servers that fail.
#ifndef PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_WATCH_H_
#define PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_WATCH_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pando/v1/tree.pb.h"

namespace pando::client {

class Core;
struct Subscription;

// All changes of one node.
v1::WatchTarget WatchNode(std::string path);
// Direct children that come and go.
v1::WatchTarget WatchChildren(std::string path);
// All changes of a node and of all below it.
v1::WatchTarget WatchSubtree(std::string path);

struct WatchOptions {
  int64_t start_revision = 0;  // inclusive; 0: from now on
  bool send_initial = false;   // first the state, in Watch::initial, and then every change after it
  std::optional<std::chrono::milliseconds> timeout;  // to begin; none: Options::operation_timeout
  // On the session's thread, each time when events or the end have come: Next does not wait then.
  // Not after Watch::Close, which waits for one that runs, unless it is called in it.
  std::function<void()> on_ready;
};

// It ends with kCompacted where changes are no longer kept, and with the session's own end. One
// with 10,000 events to be taken leaves the stream until half of them are: nothing is lost by it
// unless its changes are no longer kept by then.
//
// Thread-safe. It may outlive its session.
class Watch final {
 public:
  // For the package itself: see Session::Watch.
  Watch(std::shared_ptr<Core> core, std::shared_ptr<Subscription> subscription);
  ~Watch();  // Close
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // The next event; waits for it. After the last one: how it ended, kClosed after Close.
  absl::StatusOr<v1::WatchEvent> Next();
  // DEADLINE_EXCEEDED, without a reason: there is none yet, and the timeout has passed.
  absl::StatusOr<v1::WatchEvent> Next(std::chrono::milliseconds timeout);
  // How many events are there to be taken.
  size_t size() const;

  // With send_initial: the state that the events come after, as of start_revision() - 1.
  const std::vector<v1::WalkEntry>& initial() const;
  int64_t start_revision() const;

  // Events that were not taken are gone.
  void Close();

 private:
  absl::StatusOr<v1::WatchEvent> Taken(absl::StatusOr<v1::WatchEvent> event);

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Subscription> subscription_;
};

}  // namespace pando::client

#endif  // PANDO_CLIENTS_CPP_INCLUDE_PANDO_CLIENT_WATCH_H_
