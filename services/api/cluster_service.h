// ClusterService: see protos/pando/v1/cluster.proto. What is not here is UNIMPLEMENTED.
// Thread-safe.
#ifndef PANDO_API_CLUSTER_SERVICE_H_
#define PANDO_API_CLUSTER_SERVICE_H_

#include "api/edge.h"
#include "pando/v1/cluster.grpc.pb.h"

namespace pando::api {

class ClusterService : public v1::ClusterService::CallbackService {
 public:
  explicit ClusterService(Edge* edge) : edge_(edge) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;

 private:
  Edge* const edge_;
};

}  // namespace pando::api

#endif  // PANDO_API_CLUSTER_SERVICE_H_
