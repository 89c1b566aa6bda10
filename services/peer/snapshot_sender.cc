#include "peer/snapshot_sender.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "model/limits.h"
#include "peer/connect.h"

namespace pando::peer {

using internal::v1::InstallRequest;

// --- The call ---------------------------------------------------------------------------------

SnapshotCall::SnapshotCall(const Options& options, io::Inbox* inbox, io::PeerAddress to,
                           std::function<void(SnapshotCall*)> on_done)
    : options_(options),
      inbox_(inbox),
      to_(std::move(to)),
      on_done_(std::move(on_done)),
      began_(options.now()),
      stub_(internal::v1::PeerService::NewStub(Connect(options, to_.address))) {
  context_.set_deadline(std::chrono::system_clock::now() +
                        std::chrono::milliseconds(model::kScanMsMax));
}

// The hold lasts until the last part is written: until then Take may write.
void SnapshotCall::Start(InstallRequest first) {
  stub_->async()->Install(&context_, &response_, this);
  AddHold();
  {
    const base::MutexLock lock(&mutex_);
    started_ = true;
    Write(std::move(first));
  }
  StartCall();
}

io::Taken SnapshotCall::Take(const std::vector<model::RecordWrite>& records) {
  const base::MutexLock lock(&mutex_);
  if (broken_) return io::Taken::kCancelled;
  if (writing_) return io::Taken::kFull;
  InstallRequest part;
  for (const model::RecordWrite& record : records) {
    internal::v1::Record* out = part.add_records();
    out->set_key(record.key);
    out->set_value(*record.value);
    bytes_ += out->key().size() + out->value().size();
  }
  Write(std::move(part));
  return io::Taken::kTaken;
}

void SnapshotCall::Finish(bool good) {
  const base::MutexLock lock(&mutex_);
  ended_ = true;
  if (!good) {
    broken_ = true;
    context_.TryCancel();
  }
  // Shutdown may come before Start; then the write of the first part fails, and ends it.
  if (started_ && !writing_) WriteLast();
}

void SnapshotCall::Write(InstallRequest part) {
  writing_ = true;
  request_ = std::move(part);
  StartWrite(&request_);
}

void SnapshotCall::WriteLast() {
  if (std::exchange(released_, true)) return;
  if (!broken_) {
    request_.Clear();
    request_.set_last(true);
    StartWriteLast(&request_, grpc::WriteOptions());
  }
  RemoveHold();
}

void SnapshotCall::OnWriteDone(bool ok) {
  const base::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) broken_ = true;
  if (ended_) WriteLast();
}

void SnapshotCall::OnDone(const grpc::Status& status) {
  Options::SnapshotEnd end{.sent = true, .good = status.ok(), .taken = options_.now() - began_};
  {
    const base::MutexLock lock(&mutex_);
    broken_ = true;
    end.bytes = bytes_;
  }
  if (options_.on_snapshot) options_.on_snapshot(end);
  if (!status.ok()) {
    base::Log(base::Severity::kWarning, "a snapshot was not taken",
              {{"peer", to_.id}, {"error", status.error_message()}});
  }
  inbox_->Post(io::SnapshotSent{to_.id, status.ok()});
  on_done_(this);
}

// --- The scan's side --------------------------------------------------------------------------

SnapshotSink::SnapshotSink(io::Inbox* inbox, model::ServerId to, std::string greeting,
                           MakeCall make_call)
    : inbox_(inbox), to_(to), greeting_(std::move(greeting)), make_call_(std::move(make_call)) {}

void SnapshotSink::Begin(const io::StateMark& mark) {
  call_ = make_call_();
  if (call_ == nullptr) return;
  InstallRequest first;
  first.set_greeting(greeting_);
  first.set_revision(mark.revision.value());
  first.set_term(mark.term.value());
  first.set_digest(mark.digest);
  call_->Start(std::move(first));
}

io::Taken SnapshotSink::Take(model::Revision, const std::vector<model::RecordWrite>& records) {
  return call_ == nullptr ? io::Taken::kCancelled : call_->Take(records);
}

// A call says by itself how it ended.
void SnapshotSink::Finish(model::Revision, absl::Status status) {
  if (call_ == nullptr) {
    inbox_->Post(io::SnapshotSent{to_, false});
  } else {
    call_->Finish(status.ok());
  }
}

}  // namespace pando::peer
