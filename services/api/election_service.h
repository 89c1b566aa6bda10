// ElectionService: see protos/pando/v1/election.proto. Thread-safe.
#ifndef PANDO_API_ELECTION_SERVICE_H_
#define PANDO_API_ELECTION_SERVICE_H_

#include "api/call.h"
#include "api/edge.h"
#include "pando/v1/election.grpc.pb.h"

namespace pando::api {

class ElectionService : public v1::ElectionService::CallbackService {
 public:
  explicit ElectionService(Edge* edge) : edge_(edge) {}

  grpc::ServerUnaryReactor* Campaign(grpc::CallbackServerContext* context,
                                     const v1::CampaignRequest* request,
                                     v1::CampaignResponse* response) override;
  grpc::ServerUnaryReactor* Resign(grpc::CallbackServerContext* context,
                                   const v1::ResignRequest* request,
                                   v1::ResignResponse* response) override;
  grpc::ServerUnaryReactor* Leader(grpc::CallbackServerContext* context,
                                   const v1::LeaderRequest* request,
                                   v1::LeaderResponse* response) override;
  grpc::ServerWriteReactor<v1::ObserveResponse>* Observe(
      grpc::CallbackServerContext* context, const v1::ObserveRequest* request) override;

 private:
  Edge* const edge_;
};

}  // namespace pando::api

#endif  // PANDO_API_ELECTION_SERVICE_H_
