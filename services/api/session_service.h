// SessionService: see protos/pando/v1/session.proto. Thread-safe.
#ifndef PANDO_API_SESSION_SERVICE_H_
#define PANDO_API_SESSION_SERVICE_H_

#include "api/edge.h"
#include "pando/v1/session.grpc.pb.h"

namespace pando::api {

class SessionService : public v1::SessionService::CallbackService {
 public:
  explicit SessionService(Edge* edge) : edge_(edge) {}

  grpc::ServerUnaryReactor* Open(grpc::CallbackServerContext* context,
                                 const v1::OpenRequest* request,
                                 v1::OpenResponse* response) override;
  grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>* KeepAlive(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Attach(grpc::CallbackServerContext* context,
                                   const v1::AttachRequest* request,
                                   v1::AttachResponse* response) override;
  grpc::ServerUnaryReactor* Close(grpc::CallbackServerContext* context,
                                  const v1::CloseRequest* request,
                                  v1::CloseResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::SessionServiceListRequest* request,
                                 v1::SessionServiceListResponse* response) override;

 private:
  Edge* const edge_;
};

}  // namespace pando::api

#endif  // PANDO_API_SESSION_SERVICE_H_
