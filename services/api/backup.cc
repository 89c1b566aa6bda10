#include "api/backup.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/errors.h"
#include "base/check.h"
#include "model/limits.h"

namespace pando::api {
namespace {

constexpr size_t kChunkBytesMax = model::kScanChunkBytesMax;

}  // namespace

BackupCall* BackupCall::Start(Edge* edge, const grpc::CallbackServerContext& context,
                              const v1::SnapshotRequest& request) {
  const Call call(edge, MethodOf("ClusterService/Snapshot"), context, &request);
  Caller caller;
  const model::Error error = call.Admit(request.header(), &caller);
  const auto self = std::make_shared<BackupCall>(call);
  self->self_ = self;
  base::MutexLock lock(&self->mutex_);
  if (!error.ok()) {
    self->EndWith(error);
  } else {
    io::RequestBatch batch;
    batch.sink = self;
    batch.requests.push_back({.min_revision = caller.header.min_revision,
                              .consistency = caller.header.consistency,
                              .deadline = call.Deadline(),
                              .body = io::TakeBackup{self}});
    if (!edge->inbox()->TryPost(std::move(batch))) {
      self->EndWith({.reason = model::Reason::kOverloaded});
    }
  }
  self->Proceed();
  return self.get();
}

BackupCall::BackupCall(const Call& call) : edge_(call.edge()), call_(call) {}

// --- From the core and the scan ---------------------------------------------------------------

// The completion and the scan come from different threads, in any order.
void BackupCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  const model::Reply& reply = completions.front().reply;
  if (reply.ok()) return;
  base::MutexLock lock(&mutex_);
  EndWith(reply.error);
  Proceed();
}

void BackupCall::Begin(const io::StateMark& mark) {
  base::MutexLock lock(&mutex_);
  revision_ = mark.revision;
  encoder_.emplace(codec::SnapshotHeader{edge_->options().cluster(), mark});
}

io::Taken BackupCall::Take(model::Revision revision,
                           const std::vector<model::RecordWrite>& records) {
  base::MutexLock lock(&mutex_);
  if (end_ || finished_ || broken_) return io::Taken::kCancelled;
  CHECK(revision == revision_);
  if (unsent_.size() + encoder_->encoded().size() > model::kOutboxBytesMax) {
    return io::Taken::kFull;
  }
  for (const model::RecordWrite& record : records) encoder_->Add(record.key, *record.value);
  SchedulePump();
  return io::Taken::kTaken;
}

void BackupCall::Finish(model::Revision, absl::Status status) {
  base::MutexLock lock(&mutex_);
  if (end_ || finished_ || broken_) return;
  if (status.ok()) {
    encoder_->Finish();
    EndWith({});
  } else {
    EndWith(ErrorOfScan(status));
  }
  SchedulePump();
}

// --- Towards the client -----------------------------------------------------------------------

void BackupCall::SchedulePump() {
  if (writing_ || scheduled_) return;
  scheduled_ = true;
  edge_->egress()->Schedule(shared_from_this());
}

void BackupCall::Pump() {
  base::MutexLock lock(&mutex_);
  scheduled_ = false;
  Proceed();
}

void BackupCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(writing_);
  writing_ = false;
  if (!ok) broken_ = true;
  Proceed();
}

void BackupCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  broken_ = true;
  Proceed();
}

void BackupCall::OnDone() { self_.reset(); }

void BackupCall::EndWith(const model::Error& error) {
  if (end_) return;
  end_ = error.ok() ? grpc::Status::OK : ToStatus(error);
  call_.Ended(error);
}

void BackupCall::Proceed() {
  if (finished_ || writing_) return;
  if (broken_ && !end_) {
    end_ = grpc::Status::CANCELLED;
    call_.Cancelled();
  }
  const bool wanted = !broken_ && (!end_ || end_->ok());
  if (wanted && WriteChunk()) return;
  if (end_) {
    finished_ = true;
    ServerWriteReactor::Finish(*end_);
  }
}

// False: there is nothing to write now.
bool BackupCall::WriteChunk() {
  if (!encoder_) return false;
  if (unsent_from_ == unsent_.size()) {
    unsent_ = encoder_->Take();
    unsent_from_ = 0;
  }
  if (unsent_.empty()) return false;
  const std::string_view chunk = std::string_view(unsent_).substr(unsent_from_, kChunkBytesMax);
  unsent_from_ += chunk.size();
  hasher_.Add(chunk);
  message_.Clear();
  edge_->WriteHeader(revision_, {}, message_.mutable_header());
  message_.set_revision(static_cast<int64_t>(revision_.value()));
  message_.set_offset(static_cast<int64_t>(offset_));
  message_.set_chunk(chunk.data(), chunk.size());
  offset_ += chunk.size();
  const bool last = end_ && unsent_from_ == unsent_.size() && encoder_->encoded().empty();
  if (last) {
    message_.set_size_bytes(static_cast<int64_t>(offset_));
    message_.set_checksum(hasher_.value());
  }
  writing_ = true;
  StartWrite(&message_);
  return true;
}

}  // namespace pando::api
