// LockService: see protos/pando/v1/lock.proto. Thread-safe.
#ifndef PANDO_API_LOCK_SERVICE_H_
#define PANDO_API_LOCK_SERVICE_H_

#include "api/call.h"
#include "api/edge.h"
#include "pando/v1/lock.grpc.pb.h"

namespace pando::api {

class LockService : public v1::LockService::CallbackService {
 public:
  explicit LockService(Edge* edge) : edge_(edge) {}

  grpc::ServerUnaryReactor* Lock(grpc::CallbackServerContext* context,
                                 const v1::LockRequest* request,
                                 v1::LockResponse* response) override;
  grpc::ServerUnaryReactor* Unlock(grpc::CallbackServerContext* context,
                                   const v1::UnlockRequest* request,
                                   v1::UnlockResponse* response) override;
  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override;

 private:
  Edge* const edge_;
};

}  // namespace pando::api

#endif  // PANDO_API_LOCK_SERVICE_H_
