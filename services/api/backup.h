// BackupCall: one Snapshot. A scan of the whole state brings its records, which become the bytes of
// a snapshot (codec/snapshot.h) and go out in chunks.
//
// Bounded by kOutboxBytesMax of bytes that are not written yet: then the scan is asked to offer its
// records again later. Thread-safe; as for Pipeline, gRPC is called under the lock.
#ifndef PANDO_API_BACKUP_H_
#define PANDO_API_BACKUP_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/edge.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "codec/snapshot.h"
#include "io/store.h"
#include "pando/v1/cluster.pb.h"

namespace pando::api {

class BackupCall : public grpc::ServerWriteReactor<v1::SnapshotResponse>,
                   public io::ReplySink,
                   public io::ScanSink,
                   public Writer,
                   public std::enable_shared_from_this<BackupCall> {
 public:
  static BackupCall* Start(Edge* edge, const grpc::CallbackServerContext& context,
                           const v1::SnapshotRequest& request);

  explicit BackupCall(const Call& call);

  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnCancel() override PANDO_EXCLUDES(mutex_);
  void OnDone() override;

  void Deliver(std::vector<io::Completion> completions) override PANDO_EXCLUDES(mutex_);
  void Begin(const io::StateMark& mark) override PANDO_EXCLUDES(mutex_);
  io::Taken Take(model::Revision revision, const std::vector<model::RecordWrite>& records) override
      PANDO_EXCLUDES(mutex_);
  void Finish(model::Revision revision, absl::Status status) override PANDO_EXCLUDES(mutex_);
  void Pump() override PANDO_EXCLUDES(mutex_);

 private:
  void EndWith(const model::Error& error) PANDO_REQUIRES(mutex_);
  void SchedulePump() PANDO_REQUIRES(mutex_);
  // Writes the next chunk, or ends the call, if it is time to.
  void Proceed() PANDO_REQUIRES(mutex_);
  bool WriteChunk() PANDO_REQUIRES(mutex_);

  Edge* const edge_;
  const Call call_;

  base::Mutex mutex_;
  model::Revision revision_ PANDO_GUARDED_BY(mutex_);
  std::optional<codec::SnapshotEncoder> encoder_ PANDO_GUARDED_BY(mutex_);  // once it has begun
  std::string unsent_ PANDO_GUARDED_BY(mutex_);                             // taken of it
  size_t unsent_from_ PANDO_GUARDED_BY(mutex_) = 0;                         // what is left of that
  uint64_t offset_ PANDO_GUARDED_BY(mutex_) = 0;
  base::Hasher hasher_ PANDO_GUARDED_BY(mutex_);  // of all chunks
  v1::SnapshotResponse message_;                  // gRPC's while writing_
  bool scheduled_ PANDO_GUARDED_BY(mutex_) = false;
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool broken_ PANDO_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ PANDO_GUARDED_BY(mutex_);  // OK: the scan is through
  bool finished_ PANDO_GUARDED_BY(mutex_) = false;

  std::shared_ptr<BackupCall> self_;  // until OnDone
};

}  // namespace pando::api

#endif  // PANDO_API_BACKUP_H_
