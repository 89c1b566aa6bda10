// WalkCall: one Walk. A small subtree comes with the completion; of a larger one the completion is
// empty, and a scan brings its records.
//
// Bounded by kOutboxBytesMax of entries that are not written yet: then the scan is asked to offer
// its records again later. Thread-safe; as for Pipeline, gRPC is called under the lock.
#ifndef PANDO_API_WALK_H_
#define PANDO_API_WALK_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/readable.h"
#include "api/call.h"
#include "api/edge.h"
#include "base/mutex.h"
#include "codec/record.h"
#include "io/store.h"
#include "pando/v1/tree.pb.h"

namespace pando::api {

// Turns a scan of all ACLs and a subtree into the nodes that `identities` may read: a node's
// record, then its directory's if it has one. Records of other kinds, and nodes that the walk
// leaves out, give nothing.
class WalkDecoder {
 public:
  WalkDecoder(model::Walk walk, std::vector<model::Identity> identities)
      : walk_(std::move(walk)), readable_(std::move(identities)) {}

  // False if a record is not what codec writes; then the store is damaged.
  [[nodiscard]] bool Add(const model::RecordWrite& record,
                         std::vector<model::WalkResult::Node>* nodes);
  // The node that may still have had a directory.
  void Finish(std::vector<model::WalkResult::Node>* nodes);
  // A node was left out for its ACL.
  bool hid_any() const { return hid_any_; }

 private:
  struct Pending {
    std::string key;
    std::string value;
    std::string path;
  };
  void Emit(const codec::DirectoryRecord* directory, std::vector<model::WalkResult::Node>* nodes);
  bool Wants(std::string_view path) const;

  const model::Walk walk_;
  acl::Readable readable_;
  bool hid_any_ = false;
  std::optional<Pending> pending_;
};

class WalkCall : public grpc::ServerWriteReactor<v1::WalkResponse>,
                 public io::ReplySink,
                 public io::ScanSink,
                 public Writer,
                 public std::enable_shared_from_this<WalkCall> {
 public:
  static WalkCall* Start(Edge* edge, const grpc::CallbackServerContext& context,
                         const v1::WalkRequest& request);

  WalkCall(const Call& call, model::Walk walk, std::vector<model::Identity> identities);

  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  io::Taken Take(model::Revision revision, const std::vector<model::RecordWrite>& records) override
      PANDO_EXCLUDES(mutex_);
  // Of the scan.
  void Finish(model::Revision revision, absl::Status status) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);

 private:
  struct Message {
    v1::WalkResponse response;
    size_t bytes = 0;
  };

  void PostWalk() PANDO_REQUIRES(mutex_);
  void AddNodes(model::Revision revision, const std::vector<model::WalkResult::Node>& nodes)
      PANDO_REQUIRES(mutex_);
  void EndWith(const model::Error& error) PANDO_REQUIRES(mutex_);
  void Proceed() PANDO_REQUIRES(mutex_);
  void SchedulePump() PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;

  base::Mutex mutex_;
  std::optional<io::Request> walk_request_
      PANDO_GUARDED_BY(mutex_);  // until the session is checked
  model::Revision stream_revision_ PANDO_GUARDED_BY(mutex_);
  WalkDecoder decoder_ PANDO_GUARDED_BY(mutex_);
  std::deque<Message> messages_ PANDO_GUARDED_BY(mutex_);  // the first is gRPC's while writing_
  size_t bytes_ PANDO_GUARDED_BY(mutex_) = 0;
  bool any_ PANDO_GUARDED_BY(mutex_) = false;
  bool scheduled_ PANDO_GUARDED_BY(mutex_) = false;
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool broken_ PANDO_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<WalkCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_WALK_H_
