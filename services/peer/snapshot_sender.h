// SnapshotSink and SnapshotCall: stream a scan of the whole state to a peer that installs it, on a
// connection of its own, so that heartbeats do not wait behind it.
//
//   pando-scan ── Begin, Take … Finish ──► SnapshotSink ──► SnapshotCall ──► socket
//                                              the call has ended: SnapshotSent ──► Inbox
//
// One part is under way at a time: meanwhile Take says kFull. Thread-safe.
#ifndef PANDO_PEER_SNAPSHOT_SENDER_H_
#define PANDO_PEER_SNAPSHOT_SENDER_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "io/inbox.h"
#include "io/peers.h"
#include "io/store.h"
#include "pando/internal/v1/peer.grpc.pb.h"
#include "peer/options.h"

namespace pando::peer {

// The call. Whoever keeps it must not let go of it in a reaction, for it owns a gRPC channel.
class SnapshotCall : public grpc::ClientWriteReactor<internal::v1::InstallRequest> {
 public:
  SnapshotCall(const Options& options, io::Inbox* inbox, io::PeerAddress to,
               std::function<void(SnapshotCall*)> on_done);

  void Start(internal::v1::InstallRequest first) PANDO_EXCLUDES(mutex_);
  io::Taken Take(const std::vector<model::RecordWrite>& records) PANDO_EXCLUDES(mutex_);
  // The scan has ended; not good: the peer must not take what it has.
  void Finish(bool good) PANDO_EXCLUDES(mutex_);

  void OnWriteDone(bool ok) override PANDO_EXCLUDES(mutex_);
  void OnDone(const grpc::Status& status) override;

 private:
  void Write(internal::v1::InstallRequest part) PANDO_REQUIRES(mutex_);
  void WriteLast() PANDO_REQUIRES(mutex_);

  const Options& options_;
  io::Inbox* const inbox_;
  const io::PeerAddress to_;
  const std::function<void(SnapshotCall*)> on_done_;
  const base::Instant began_;
  const std::unique_ptr<internal::v1::PeerService::Stub> stub_;
  grpc::ClientContext context_;
  internal::v1::InstallResponse response_;

  base::Mutex mutex_;
  internal::v1::InstallRequest request_;  // gRPC's while writing_
  bool started_ PANDO_GUARDED_BY(mutex_) = false;
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool ended_ PANDO_GUARDED_BY(mutex_) = false;     // the scan has
  bool released_ PANDO_GUARDED_BY(mutex_) = false;  // nothing more is written
  bool broken_ PANDO_GUARDED_BY(mutex_) = false;
  uint64_t bytes_ PANDO_GUARDED_BY(mutex_) = 0;  // of records, handed to gRPC
};

// The scan's side. `make_call` makes the call when the scan begins; null: there is to be none.
class SnapshotSink : public io::ScanSink {
 public:
  using MakeCall = std::function<std::shared_ptr<SnapshotCall>()>;
  SnapshotSink(io::Inbox* inbox, model::ServerId to, std::string greeting, MakeCall make_call);

  void Begin(const io::StateMark& mark) override;
  io::Taken Take(model::Revision revision, const std::vector<model::RecordWrite>& records) override;
  void Finish(model::Revision revision, absl::Status status) override;

 private:
  io::Inbox* const inbox_;
  const model::ServerId to_;
  const std::string greeting_;
  const MakeCall make_call_;
  std::shared_ptr<SnapshotCall> call_;
};

}  // namespace pando::peer

#endif  // PANDO_PEER_SNAPSHOT_SENDER_H_
