#include "api/lock_service.h"

#include <vector>

#include "api/places_call.h"
#include "api/release_call.h"
#include "api/wait_call.h"

namespace pando::api {
namespace {

// Of those who wait; the rest are only counted.
constexpr int kWaitingMax = 1'000;

void Write(const recipe::Place& in, v1::LockPlace* out) {
  out->set_session_id(static_cast<int64_t>(in.session.value()));
  out->set_ownership_path(in.path);
  out->set_fencing_token(static_cast<int64_t>(in.token.value()));
  out->set_since_ms(in.since.ms);
  if (in.data) out->set_data(*in.data);
}

}  // namespace

grpc::ServerUnaryReactor* LockService::Lock(grpc::CallbackServerContext* context,
                                            const v1::LockRequest* request,
                                            v1::LockResponse* response) {
  return WaitCall::Start(Call(edge_, MethodOf("LockService/Lock"), *context, request), *request,
                         response);
}

grpc::ServerUnaryReactor* LockService::Unlock(grpc::CallbackServerContext* context,
                                              const v1::UnlockRequest* request,
                                              v1::UnlockResponse* response) {
  return StartRelease(Call(edge_, MethodOf("LockService/Unlock"), *context, request), *request,
                      response);
}

grpc::ServerUnaryReactor* LockService::Describe(grpc::CallbackServerContext* context,
                                                const v1::DescribeRequest* request,
                                                v1::DescribeResponse* response) {
  const auto write = [edge = edge_, response](model::Revision revision,
                                              const std::vector<recipe::Place>& places) {
    edge->WriteHeader(revision, {}, response->mutable_header());
    if (places.empty()) return;
    Write(places.front(), response->mutable_holder());
    for (size_t i = 1; i < places.size() && response->waiting_size() < kWaitingMax; ++i) {
      Write(places[i], response->add_waiting());
    }
    response->set_waiting_count(static_cast<int64_t>(places.size()) - 1);
  };
  return PlacesCall::Start(Call(edge_, MethodOf("LockService/Describe"), *context, request),
                           request->header(), request->name(), write);
}

}  // namespace pando::api
