// Edge: what all services of one Server share. Thread-safe.
#ifndef PANDO_API_EDGE_H_
#define PANDO_API_EDGE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "api/egress_thread.h"
#include "api/server.h"
#include "api/translate.h"
#include "base/mutex.h"
#include "io/inbox.h"
#include "pando/v1/common.pb.h"

namespace pando::api {

// A stream that lives until one side ends it. A server that stops asks it to end.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  virtual void GoAway() = 0;
};

class Edge {
 public:
  Edge(Options options, io::Inbox* inbox);

  const Options& options() const { return options_; }
  io::Inbox* inbox() const { return inbox_; }
  EgressThread* egress() { return &egress_; }

  // For a lane or a stream; never given twice. The core knows those of other adapters too, and
  // theirs have another top byte.
  uint64_t NextId() { return kIdsOfApi | next_id_.fetch_add(1, std::memory_order_relaxed); }

  // Whether the server means to stay.
  bool serving() const { return serving_.load(std::memory_order_relaxed); }
  void SetServing(bool serving) { serving_.store(serving, std::memory_order_relaxed); }

  void WriteHeader(model::Revision revision, model::Revision stream_revision,
                   v1::ResponseHeader* out) const;
  void CountRequest(std::string_view method, base::Instant began, const char* reason) const;

  // `stream` is asked to go away when the server stops: at once if it has stopped already. Called
  // by streams, and not from inside a lock that GoAway takes.
  void AddStream(const std::shared_ptr<OpenStream>& stream) PANDO_EXCLUDES(mutex_);
  void RemoveStream(const OpenStream* stream) PANDO_EXCLUDES(mutex_);
  void StopStreams() PANDO_EXCLUDES(mutex_);

 private:
  static constexpr uint64_t kIdsOfApi = uint64_t{1} << 56;

  const Options options_;
  io::Inbox* const inbox_;
  std::atomic<uint64_t> next_id_{1};
  std::atomic<bool> serving_{false};
  base::Mutex mutex_;
  absl::flat_hash_map<const OpenStream*, std::weak_ptr<OpenStream>> streams_
      PANDO_GUARDED_BY(mutex_);
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  EgressThread egress_;  // last: it stops first
};

struct Caller;  // call.h

// How long a write waits that has no deadline of its own.
inline constexpr base::Duration kWriteDeadline = std::chrono::seconds(10);

// `caller`'s write or read of `body`.
io::Request MakeCommand(const Edge& edge, const Caller& caller, base::Instant deadline,
                        model::CommandBody body);
io::Request MakeQuery(const Caller& caller, base::Instant deadline, model::QueryBody body);

}  // namespace pando::api

#endif  // PANDO_API_EDGE_H_
