#include "api/election_service.h"

#include <vector>

#include "api/observe_call.h"
#include "api/places_call.h"
#include "api/release_call.h"
#include "api/wait_call.h"

namespace pando::api {

grpc::ServerUnaryReactor* ElectionService::Campaign(grpc::CallbackServerContext* context,
                                                    const v1::CampaignRequest* request,
                                                    v1::CampaignResponse* response) {
  return WaitCall::Start(Call(edge_, MethodOf("ElectionService/Campaign"), *context, request),
                         *request, response);
}

grpc::ServerUnaryReactor* ElectionService::Resign(grpc::CallbackServerContext* context,
                                                  const v1::ResignRequest* request,
                                                  v1::ResignResponse* response) {
  return StartRelease(Call(edge_, MethodOf("ElectionService/Resign"), *context, request), *request,
                      response);
}

grpc::ServerUnaryReactor* ElectionService::Leader(grpc::CallbackServerContext* context,
                                                  const v1::LeaderRequest* request,
                                                  v1::LeaderResponse* response) {
  const auto write = [edge = edge_, response](model::Revision revision,
                                              const std::vector<recipe::Place>& places) {
    edge->WriteHeader(revision, {}, response->mutable_header());
    if (!places.empty()) ToProto(places.front(), response->mutable_leader());
  };
  return PlacesCall::Start(Call(edge_, MethodOf("ElectionService/Leader"), *context, request),
                           request->header(), request->name(), write);
}

grpc::ServerWriteReactor<v1::ObserveResponse>* ElectionService::Observe(
    grpc::CallbackServerContext* context, const v1::ObserveRequest* request) {
  return ObserveCall::Start(edge_, *context, *request);
}

}  // namespace pando::api
