#include "pando/client/lock.h"

#include <algorithm>
#include <utility>

#include "errors.h"
#include "pando/v1/election.grpc.pb.h"
#include "pando/v1/lock.grpc.pb.h"

namespace pando::client {
namespace {

// Waits for a place at the head of a queue. The server counts the wait, because one that has waited
// long enough gives the place up there.
template <class Place, class Method, class Request>
absl::StatusOr<Place> Wait(Session* session, Method method, Request request, std::string name,
                           std::chrono::milliseconds wait, std::string data) {
  wait = std::min(wait, kTimeoutMax);
  request.set_name(std::move(name));
  request.set_wait_timeout_ms(wait.count());
  request.set_data(std::move(data));
  auto place = session->Call(method, std::move(request),
                             {.timeout = wait + session->options().operation_timeout});
  if (place.ok()) return *std::move(place);
  // The server's own TIMEOUT has left the queue; this package's means that nobody has said so.
  const bool is_ours = ReasonOf(place.status()) == Reason::kTimeout && !IsRetriable(place.status());
  return is_ours ? WithMaybeApplied(place.status()) : place.status();
}

}  // namespace

v1::Compare Held::Guard() const {
  v1::Compare compare;
  compare.set_path(ownership_path_);
  compare.set_subject(v1::COMPARE_SUBJECT_CREATE_REVISION);
  compare.set_relation(v1::COMPARE_RELATION_EQUAL);
  compare.set_number(fencing_token_);
  return compare;
}

template <class Stub, class Request, class Response>
absl::Status Held::GiveBack(internal::UnaryMethod<Stub, Request, Response> leave) {
  if (given_back_) return absl::OkStatus();
  Request request;
  request.set_ownership_path(ownership_path_);
  absl::Status status = session_->Call(leave, std::move(request)).status();
  given_back_ = status.ok();
  return status;
}

template <class Stub, class Request, class Response>
void Held::GiveBackSoon(internal::UnaryMethod<Stub, Request, Response> leave) {
  if (given_back_) return;
  Request request;
  request.set_ownership_path(ownership_path_);
  session_->AsyncCall(leave, std::move(request),
                      Callback<Response>([](const absl::StatusOr<Response>&) {}));
}

absl::StatusOr<std::unique_ptr<Lock>> Lock::Take(Session* session, std::string name,
                                                 std::chrono::milliseconds wait, std::string data) {
  const absl::StatusOr<v1::LockResponse> place =
      Wait<v1::LockResponse>(session, &v1::LockService::Stub::PrepareAsyncLock, v1::LockRequest(),
                             std::move(name), wait, std::move(data));
  if (!place.ok()) return place.status();
  return std::unique_ptr<Lock>(new Lock(session, place->ownership_path(), place->fencing_token()));
}

Lock::~Lock() { GiveBackSoon(&v1::LockService::Stub::PrepareAsyncUnlock); }

absl::Status Lock::Release() { return GiveBack(&v1::LockService::Stub::PrepareAsyncUnlock); }

absl::StatusOr<std::unique_ptr<Leadership>> Leadership::Campaign(Session* session, std::string name,
                                                                 std::chrono::milliseconds wait,
                                                                 std::string data) {
  const absl::StatusOr<v1::CampaignResponse> place =
      Wait<v1::CampaignResponse>(session, &v1::ElectionService::Stub::PrepareAsyncCampaign,
                                 v1::CampaignRequest(), std::move(name), wait, std::move(data));
  if (!place.ok()) return place.status();
  return std::unique_ptr<Leadership>(
      new Leadership(session, place->ownership_path(), place->fencing_token()));
}

Leadership::~Leadership() { GiveBackSoon(&v1::ElectionService::Stub::PrepareAsyncResign); }

absl::Status Leadership::Resign() {
  return GiveBack(&v1::ElectionService::Stub::PrepareAsyncResign);
}

}  // namespace pando::client
