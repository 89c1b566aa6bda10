#include "api/places_call.h"

#include <utility>

#include "api/errors.h"
#include "base/check.h"

namespace pando::api {

using model::Error;
using model::Reason;

grpc::ServerUnaryReactor* PlacesCall::Start(const Call& call, const v1::RequestHeader& header,
                                            const std::string& name, WriteResponse write) {
  const auto self = std::make_shared<PlacesCall>(call, name, std::move(write));
  self->self_ = self;
  base::MutexLock lock(&self->mutex_);
  Error error = call.Admit(header, &self->caller_);
  if (error.ok()) error = CheckPath(name);
  if (error.ok()) {
    self->PostPage();
  } else {
    self->End(error);
  }
  return self.get();
}

PlacesCall::PlacesCall(const Call& call, const std::string& name, WriteResponse write)
    : call_(call), write_(std::move(write)), listing_(name, /*with_data=*/true) {}

void PlacesCall::PostPage() {
  io::RequestBatch batch;
  batch.sink = shared_from_this();
  batch.requests.push_back(MakeQuery(caller_, call_.Deadline(), listing_.NextPage()));
  batch.bytes = call_.request()->ByteSizeLong();
  if (!call_.edge()->inbox()->TryPost(std::move(batch))) End({.reason = Reason::kOverloaded});
}

void PlacesCall::Deliver(std::vector<io::Completion> completions) {
  CHECK(completions.size() == 1);
  base::MutexLock lock(&mutex_);
  if (finished_) return;
  model::Reply& reply = completions.front().reply;
  if (recipe::Listing::IsError(reply)) return End(reply.error);
  const model::Revision revision = reply.revision;
  if (!listing_.Add(std::move(reply))) return PostPage();
  write_(revision, listing_.TakePlaces());
  End({});
}

void PlacesCall::OnCancel() {
  base::MutexLock lock(&mutex_);
  if (std::exchange(finished_, true)) return;
  call_.Cancelled();
  Finish(grpc::Status::CANCELLED);
}

void PlacesCall::End(const Error& error) {
  finished_ = true;
  call_.Ended(error);
  Finish(error.ok() ? grpc::Status::OK : ToStatus(error));
}

}  // namespace pando::api
