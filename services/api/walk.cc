#include "api/walk.h"

#include <algorithm>
#include <utility>

#include "api/errors.h"
#include "base/check.h"
#include "base/log.h"
#include "model/limits.h"
#include "model/path.h"

namespace pando::api {
namespace {

using model::Reason;

// A part of a walk is closed when it is about as large as a scan's chunk.
constexpr size_t kMessageBytesTarget = model::kScanChunkBytesMax;

uint32_t DepthOf(std::string_view path) {
  return path == "/" ? 0 : static_cast<uint32_t>(std::count(path.begin(), path.end(), '/'));
}

}  // namespace

// --- WalkDecoder ------------------------------------------------------------------------------

bool WalkDecoder::Add(const model::RecordWrite& record,
                      std::vector<model::WalkResult::Node>* nodes) {
  if (acl::IsAcl(record)) return readable_.Add(record);
  const std::optional<codec::NodeName> name = codec::ParseNodeKey(record.key);
  if (!name)
    return record.key.empty() || record.key[0] != static_cast<char>(codec::RecordKind::kNode);
  if (!record.value) return false;
  if (name->directory) {
    // Of a node that the walk leaves out there is none pending.
    if (!pending_) return true;
    codec::DirectoryRecord directory;
    if (record.key != codec::DirectoryKey(pending_->path)) return false;
    if (!codec::DecodeDirectory(*record.value, &directory)) return false;
    Emit(&directory, nodes);
    return true;
  }
  Emit(nullptr, nodes);
  std::string path = name->path();
  codec::NodeRecord node;
  if (!codec::DecodeNode(*record.value, &node)) return false;
  if (!Wants(path)) return true;
  if (readable_.Find(node.acl) == nullptr) {
    hid_any_ = true;
  } else {
    pending_ = {record.key, *record.value, std::move(path)};
  }
  return true;
}

void WalkDecoder::Finish(std::vector<model::WalkResult::Node>* nodes) { Emit(nullptr, nodes); }

void WalkDecoder::Emit(const codec::DirectoryRecord* directory,
                       std::vector<model::WalkResult::Node>* nodes) {
  if (!pending_) return;
  codec::NodeRecord record;
  CHECK(codec::DecodeNode(pending_->value, &record));
  model::WalkResult::Node& node = nodes->emplace_back();
  node.path = std::move(pending_->path);
  node.stat = codec::StatOf(record, directory);
  if (!walk_.without_data && record.data) node.data = std::string(*record.data);
  if (walk_.with_acl) node.acl = *readable_.Find(record.acl);
  pending_.reset();
}

bool WalkDecoder::Wants(std::string_view path) const {
  if (!model::IsWithin(path, walk_.path)) return false;
  return walk_.max_depth == 0 || DepthOf(path) - DepthOf(walk_.path) <= walk_.max_depth;
}

// --- WalkCall ---------------------------------------------------------------------------------

WalkCall* WalkCall::Start(Edge* edge, const grpc::CallbackServerContext& context,
                          const v1::WalkRequest& request) {
  Caller caller;
  model::Walk walk;
  const Call call(edge, MethodOf("TreeService/Walk"), context, &request);
  model::Error error = call.Admit(request.header(), &caller);
  if (error.ok()) error = FromProto(request, &walk);
  const auto self = std::make_shared<WalkCall>(call, walk, caller.identities);
  self->self_ = self;
  base::MutexLock lock(&self->mutex_);
  if (!error.ok()) {
    self->EndWith(error);
  } else {
    const base::Instant deadline = call.Deadline();
    io::Request request_of_walk{.min_revision = caller.header.min_revision,
                                .consistency = caller.header.consistency,
                                .deadline = deadline,
                                .body = io::LargeWalk{caller.identities, std::move(walk), self}};
    self->walk_request_ = std::move(request_of_walk);
    if (!caller.header.session) {
      self->PostWalk();
    } else {
      // A walk knows no session, so a read goes ahead that has its token checked.
      io::RequestBatch batch;
      batch.sink = self;
      batch.requests.push_back(MakeQuery(caller, deadline, model::Touch{}));
      if (!edge->inbox()->TryPost(std::move(batch))) {
        self->EndWith({.reason = Reason::kOverloaded});
      }
    }
  }
  self->Proceed();
  return self.get();
}

WalkCall::WalkCall(const Call& call, model::Walk walk, std::vector<model::Identity> identities)
    : edge_(call.edge()), call_(call), decoder_(std::move(walk), std::move(identities)) {}

void WalkCall::PostWalk() {
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(std::move(*walk_request_));
  walk_request_.reset();
  if (!edge_->inbox()->TryPost(std::move(batch))) EndWith({.reason = Reason::kOverloaded});
}

// --- From the core and the scan ---------------------------------------------------------------

void WalkCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  const io::Completion& completion = completions.front();
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  if (!completion.reply.ok()) {
    EndWith(completion.reply.error);
  } else if (end_) {
    // The scan was faster.
  } else if (walk_request_) {
    stream_revision_ = completion.stream_revision;
    PostWalk();
  } else if (const auto* small = std::get_if<model::WalkResult>(&completion.reply.result)) {
    AddNodes(completion.reply.revision, small->nodes);
    EndWith({});
  }
  Proceed();
}

io::Taken WalkCall::Take(model::Revision revision, const std::vector<model::RecordWrite>& records) {
  base::MutexLock lock(&mutex_);
  if (end_ || finished_ || broken_) return io::Taken::kCancelled;
  if (bytes_ > model::kOutboxBytesMax) return io::Taken::kFull;
  std::vector<model::WalkResult::Node> nodes;
  for (const model::RecordWrite& record : records) {
    if (!decoder_.Add(record, &nodes)) {
      end_ = grpc::Status(grpc::StatusCode::INTERNAL, "a record of the store is damaged");
      base::Log(base::Severity::kError, "damaged record in a walk", {{"key", record.key}});
      SchedulePump();
      return io::Taken::kCancelled;
    }
  }
  AddNodes(revision, nodes);
  SchedulePump();
  return io::Taken::kTaken;
}

void WalkCall::Finish(model::Revision revision, absl::Status status) {
  base::MutexLock lock(&mutex_);
  if (end_ || finished_ || broken_) return;
  if (status.ok()) {
    std::vector<model::WalkResult::Node> nodes;
    decoder_.Finish(&nodes);
    AddNodes(revision, nodes);
    // It was there when the scan was asked for.
    const Reason none = decoder_.hid_any() ? Reason::kPermissionDenied : Reason::kNoNode;
    EndWith(any_ ? model::Error() : model::Error{.reason = none});
  } else {
    EndWith(ErrorOfScan(status));
  }
  SchedulePump();
}

void WalkCall::AddNodes(model::Revision revision,
                        const std::vector<model::WalkResult::Node>& nodes) {
  for (const model::WalkResult::Node& node : nodes) {
    const bool none = messages_.size() == (writing_ ? 1u : 0u);
    if (none || messages_.back().bytes >= kMessageBytesTarget) {
      v1::WalkResponse* response = &messages_.emplace_back().response;
      edge_->WriteHeader(revision, stream_revision_, response->mutable_header());
      response->set_revision(static_cast<int64_t>(revision.value()));
    }
    v1::WalkEntry* entry = messages_.back().response.add_entries();
    ToProto(node, entry);
    const size_t bytes = entry->ByteSizeLong();
    messages_.back().bytes += bytes;
    bytes_ += bytes;
    any_ = true;
  }
}

// --- Towards the client -----------------------------------------------------------------------

void WalkCall::SchedulePump() {
  if (writing_ || scheduled_) return;
  scheduled_ = true;
  edge_->egress()->Schedule(shared_from_this());
}

void WalkCall::Pump() {
  base::MutexLock lock(&mutex_);
  scheduled_ = false;
  Proceed();
}

void WalkCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  CHECK(writing_);
  writing_ = false;
  bytes_ -= messages_.front().bytes;
  messages_.pop_front();
  if (!ok) broken_ = true;
  Proceed();
}

void WalkCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  broken_ = true;
  Proceed();
}

void WalkCall::OnDone() { self_.reset(); }

void WalkCall::EndWith(const model::Error& error) {
  if (end_) return;
  end_ = error.ok() ? grpc::Status::OK : ToStatus(error);
  call_.Ended(error);
}

void WalkCall::Proceed() {
  if (finished_ || writing_) return;
  if (broken_ && !end_) {
    end_ = grpc::Status::CANCELLED;
    call_.Cancelled();
  }
  if (!broken_ && !messages_.empty()) {
    writing_ = true;
    StartWrite(&messages_.front().response);
    return;
  }
  if (end_) {
    finished_ = true;
    walk_request_.reset();  // it holds this
    ServerWriteReactor::Finish(*end_);
  }
}

}  // namespace pando::api
