#include "api/observe_call.h"

#include <utility>

#include "acl/permission.h"
#include "api/errors.h"
#include "base/check.h"

namespace pando::api {

using model::Error;
using model::Reason;

void ToProto(const recipe::Place& in, v1::ElectionLeader* out) {
  out->set_session_id(static_cast<int64_t>(in.session.value()));
  out->set_ownership_path(in.path);
  out->set_fencing_token(static_cast<int64_t>(in.token.value()));
  if (in.data) out->set_data(*in.data);
}

ObserveCall* ObserveCall::Start(Edge* edge, const grpc::CallbackServerContext& context,
                                const v1::ObserveRequest& request) {
  const Call call(edge, MethodOf("ElectionService/Observe"), context, &request);
  const auto self = std::make_shared<ObserveCall>(call, request.name());
  self->self_ = self;
  {
    base::MutexLock lock(&self->mutex_);
    Error error = call.Admit(request.header(), &self->caller_);
    if (error.ok()) error = CheckPath(request.name());
    if (!error.ok()) {
      self->EndWith(ToStatus(error), error);
      self->Proceed();
      return self.get();
    }
    // Who may see the list is asked when it is read; this only says that there is news. It comes
    // first, so that nothing changes unseen between the two.
    io::WatchOpen open;
    open.stream = self->stream_;
    open.outbox = self;
    open.identities = {acl::kSuper};
    open.targets = {{.path = request.name(), .kind = model::WatchTarget::Kind::kSubtree}};
    edge->inbox()->Post(std::move(open));
    self->posted_ = true;
    self->Proceed();
  }
  edge->AddStream(self);
  return self.get();
}

ObserveCall::ObserveCall(const Call& call, const std::string& name)
    : edge_(call.edge()), call_(call), name_(name), stream_(edge_->NextId()) {}

// --- From the core ----------------------------------------------------------------------------

bool ObserveCall::TryWrite(model::StreamBatch batch) {
  if (batch.selected.empty()) return true;
  base::MutexLock lock(&mutex_);
  if (!std::exchange(changed_, true)) edge_->egress()->Schedule(shared_from_this());
  return true;
}

void ObserveCall::End(Error error) {
  base::MutexLock lock(&mutex_);
  EndWith(error.ok() ? GoingAway() : ToStatus(error), error);
  edge_->egress()->Schedule(shared_from_this());
}

void ObserveCall::Pump() {
  base::MutexLock lock(&mutex_);
  Proceed();
}

void ObserveCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  base::MutexLock lock(&mutex_);
  if (end_ || finished_) return Proceed();
  CHECK(listing_);
  model::Reply& reply = completions.front().reply;
  if (recipe::Listing::IsError(reply)) {
    EndWith(ToStatus(reply), reply.error);
    return Proceed();
  }
  const model::Revision revision = reply.revision;
  if (!listing_->Add(std::move(reply))) return PostPage();
  const std::vector<recipe::Place> places = listing_->TakePlaces();
  listing_.reset();
  Tell(revision, places.empty() ? nullptr : &places.front());
  Proceed();
}

// --- Towards the client -----------------------------------------------------------------------

void ObserveCall::Tell(model::Revision revision, const recipe::Place* leader) {
  v1::ObserveResponse now;
  if (leader != nullptr) ToProto(*leader, now.mutable_leader());
  if (told_ && told_->SerializeAsString() == now.SerializeAsString()) return;
  told_ = now;
  message_ = std::move(now);
  edge_->WriteHeader(revision, {}, message_.mutable_header());
  writing_ = true;
  StartWrite(&message_);
}

void ObserveCall::OnWriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) EndWith(grpc::Status::CANCELLED);
  Proceed();
}

void ObserveCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  EndWith(grpc::Status::CANCELLED);
  Proceed();
}

void ObserveCall::GoAway() {
  base::MutexLock lock(&mutex_);
  EndWith(GoingAway());
  Proceed();
}

void ObserveCall::OnDone() {
  edge_->RemoveStream(this);
  {
    base::MutexLock lock(&mutex_);
    if (posted_) edge_->inbox()->Post(io::WatchClose{stream_});
  }
  self_.reset();
}

void ObserveCall::EndWith(grpc::Status status, const Error& error) {
  if (end_) return;
  end_ = std::move(status);
  if (end_->error_code() == grpc::StatusCode::CANCELLED) {
    call_.Cancelled();
  } else {
    call_.Ended(error);
  }
}

void ObserveCall::Proceed() {
  if (finished_ || writing_) return;
  if (end_) {
    finished_ = true;
    ServerWriteReactor::Finish(*end_);
    return;
  }
  if (listing_ || !changed_) return;
  changed_ = false;
  listing_.emplace(name_, /*with_data=*/true);
  PostPage();
}

void ObserveCall::PostPage() {
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(MakeQuery(caller_, base::kNever, listing_->NextPage()));
  batch.bytes = call_.request()->ByteSizeLong();
  if (edge_->inbox()->TryPost(std::move(batch))) return;
  const Error error{.reason = Reason::kOverloaded};
  EndWith(ToStatus(error), error);
  Proceed();
}

}  // namespace pando::api
