#include "api/watch.h"

#include <algorithm>
#include <utility>

#include "api/errors.h"
#include "base/check.h"
#include "model/limits.h"
#include "model/usage.h"

namespace pando::api {
namespace {

// What a message takes besides its events and nodes, and what each of those takes besides its own
// bytes.
constexpr size_t kHeaderBytesMax = 256;
constexpr size_t kFramingBytesMax = 8;

size_t BytesOf(const model::WalkResult& part) {
  size_t bytes = 0;
  for (const model::WalkResult::Node& node : part.nodes) {
    bytes += sizeof(node) + node.path.size() + model::DataBytes(node.data);
  }
  return bytes;
}

}  // namespace

WatchCall* WatchCall::Start(Edge* edge, const grpc::CallbackServerContext& context,
                            const v1::WatchRequest& request) {
  const Call call(edge, MethodOf("TreeService/Watch"), context, &request);
  const auto self = std::make_shared<WatchCall>(call);
  self->self_ = self;
  Caller caller;
  io::WatchOpen open;
  model::Error error = call.Admit(request.header(), &caller);
  if (error.ok()) error = FromProto(request, &open);
  {
    base::MutexLock lock(&self->mutex_);
    if (!error.ok()) {
      self->EndWith(ToStatus(error), error);
      self->Proceed();
      return self.get();
    }
    self->all_once_ = true;
    for (const model::WatchTarget& target : open.targets) self->all_once_ &= target.once;
    open.stream = self->stream_;
    open.outbox = self;
    open.session = caller.header.session;
    open.identities = caller.identities;
    self->open_ = std::move(open);
  }
  edge->AddStream(self);

  // What a header asks for is a read's business: its token, its revision. One that asks nothing
  // goes through with the same answer.
  io::RequestBatch batch;
  batch.sink = self;
  batch.requests.push_back(MakeQuery(caller, call.Deadline(), model::Touch{}));
  batch.bytes = request.ByteSizeLong();
  if (!edge->inbox()->TryPost(std::move(batch))) {
    base::MutexLock lock(&self->mutex_);
    error = {.reason = model::Reason::kOverloaded,
             .detail = "the server has too many requests waiting"};
    self->EndWith(ToStatus(error), error);
    self->Proceed();
  }
  return self.get();
}

WatchCall::WatchCall(const Call& call)
    : edge_(call.edge()), call_(call), stream_(edge_->NextId()) {}

// --- From the core ----------------------------------------------------------------------------

void WatchCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  const model::Reply& reply = completions.front().reply;
  base::MutexLock lock(&mutex_);
  std::optional<io::WatchOpen> open = std::exchange(open_, std::nullopt);
  if (!reply.ok()) EndWith(ToStatus(reply), reply.error);
  if (!end_ && open) {
    posted_ = true;
    edge_->inbox()->Post(std::move(*open));
  }
  Proceed();
}

bool WatchCall::TryWrite(model::StreamBatch batch) {
  const size_t bytes = batch.bytes();
  return TryPush({.body = std::move(batch), .bytes = bytes});
}

bool WatchCall::TryWriteInitial(model::Revision revision, model::WalkResult part) {
  const size_t bytes = BytesOf(part);
  return TryPush({.body = Initial{revision, std::move(part)}, .bytes = bytes});
}

void WatchCall::WriteInitialDone(model::Revision revision, model::WalkResult rest) {
  const size_t bytes = BytesOf(rest);
  base::MutexLock lock(&mutex_);
  Push({.body = Initial{revision, std::move(rest), true}, .bytes = bytes});
}

bool WatchCall::TryPush(Item item) {
  if (edge_->options().on_watch_delivery) item.taken = edge_->options().now();
  base::MutexLock lock(&mutex_);
  if (!queue_.empty() && bytes_ + item.bytes > model::kOutboxBytesMax) {
    refused_ = true;
    return false;
  }
  Push(std::move(item));
  return true;
}

void WatchCall::Push(Item item) {
  if (end_ || finished_) return;  // nobody reads it
  bytes_ += item.bytes;
  queue_.push_back(std::move(item));
  SchedulePump();
}

// Not from here: the core calls gRPC for no stream, and serialises nothing for it.
void WatchCall::SchedulePump() {
  if (writing_ || scheduled_) return;
  scheduled_ = true;
  edge_->egress()->Schedule(shared_from_this());
}

void WatchCall::End(model::Error error) {
  base::MutexLock lock(&mutex_);
  if (end_ || finished_) return;
  if (!error.ok()) {
    EndWith(ToStatus(error), error);
  } else if (all_once_ && edge_->serving()) {
    EndWith(grpc::Status::OK);  // its last target has ended
  } else {
    EndWith(GoingAway());
  }
  SchedulePump();
}

// --- Towards the client -----------------------------------------------------------------------

void WatchCall::Pump() {
  base::MutexLock lock(&mutex_);
  scheduled_ = false;
  Proceed();
}

void WatchCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(writing_);
  writing_ = false;
  messages_.pop_front();
  if (!ok) broken_ = true;
  if (messages_.empty()) Release(ok);
  Proceed();
}

void WatchCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  broken_ = true;
  Proceed();
}

// The core ends its streams itself when it stops; this is for a core that is gone already.
void WatchCall::GoAway() {
  base::MutexLock lock(&mutex_);
  EndWith(GoingAway());
  Proceed();
}

void WatchCall::OnDone() {
  edge_->RemoveStream(this);
  {
    base::MutexLock lock(&mutex_);
    if (posted_) edge_->inbox()->Post(io::WatchClose{stream_});
  }
  self_.reset();
}

void WatchCall::EndWith(grpc::Status status, const model::Error& error) {
  if (end_) return;
  end_ = std::move(status);
  call_.Ended(error);
}

void WatchCall::Proceed() {
  if (finished_) return;
  if (broken_ && !end_) {
    end_ = grpc::Status::CANCELLED;
    call_.Cancelled();
  }
  if (writing_) return;
  if (!broken_ && messages_.empty() && !queue_.empty()) {
    const auto& body = queue_.front().body;
    if (const auto* batch = std::get_if<model::StreamBatch>(&body)) {
      Expand(*batch);
    } else {
      Expand(std::get<Initial>(body));
    }
  }
  if (!broken_ && !messages_.empty()) {
    writing_ = true;
    StartWrite(&messages_.front());
    return;
  }
  if (end_) {
    finished_ = true;
    open_.reset();  // it holds this
    queue_.clear();
    bytes_ = 0;
    Finish(*end_);
  }
}

// The item at the front is written whole, or never will be.
void WatchCall::Release(bool written) {
  const Item& item = queue_.front();
  const auto* batch = std::get_if<model::StreamBatch>(&item.body);
  if (written && batch != nullptr && edge_->options().on_watch_delivery) {
    edge_->options().on_watch_delivery(edge_->options().now() - item.taken, batch->selected.size());
  }
  bytes_ -= item.bytes;
  queue_.pop_front();
  // Not before half of it is free: a stream at its limit would go back and forth with every batch.
  if (refused_ && bytes_ <= model::kOutboxBytesMax / 2) {
    refused_ = false;
    edge_->inbox()->Post(io::StreamDrained{stream_});
  }
}

v1::WatchResponse* WatchCall::AddMessage(model::Revision revision) {
  v1::WatchResponse* message = &messages_.emplace_back();
  edge_->WriteHeader(revision, {}, message->mutable_header());
  message->set_progress_revision(static_cast<int64_t>(progress_.value()));
  return message;
}

void WatchCall::Expand(const model::StreamBatch& batch) {
  v1::WatchResponse* message = AddMessage(batch.revision);
  size_t bytes = kHeaderBytesMax;
  for (const model::StreamBatch::Selected& selected : batch.selected) {
    v1::WatchEvent event;
    ToProto(batch.batch->changes[selected.change], selected.with_data, &event);
    const size_t event_bytes = event.ByteSizeLong() + kFramingBytesMax;
    if (message->events_size() > 0 && bytes + event_bytes > model::kWatchMessageBytesMax) {
      message->set_partial(true);
      message = AddMessage(batch.revision);
      bytes = kHeaderBytesMax;
    }
    bytes += event_bytes;
    *message->add_events() = std::move(event);
  }
  progress_ = std::max(progress_, batch.revision);
  message->set_progress_revision(static_cast<int64_t>(progress_.value()));
}

// The cursor stays where it was until the state is whole: who breaks off earlier starts again.
void WatchCall::Expand(const Initial& initial) {
  v1::WatchResponse* message = AddMessage(initial.revision);
  size_t bytes = kHeaderBytesMax;
  for (const model::WalkResult::Node& node : initial.part.nodes) {
    v1::WalkEntry entry;
    ToProto(node, &entry);
    const size_t entry_bytes = entry.ByteSizeLong() + kFramingBytesMax;
    if (message->initial_nodes_size() > 0 && bytes + entry_bytes > model::kWatchMessageBytesMax) {
      message = AddMessage(initial.revision);
      bytes = kHeaderBytesMax;
    }
    bytes += entry_bytes;
    *message->add_initial_nodes() = std::move(entry);
  }
  if (!initial.done) return;
  progress_ = std::max(progress_, initial.revision);
  message->set_progress_revision(static_cast<int64_t>(progress_.value()));
  message->set_initial_done(true);
}

}  // namespace pando::api
