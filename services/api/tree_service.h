// TreeService: see protos/pando/v1/tree.proto. Thread-safe.
#ifndef PANDO_API_TREE_SERVICE_H_
#define PANDO_API_TREE_SERVICE_H_

#include "api/edge.h"
#include "pando/v1/tree.grpc.pb.h"

namespace pando::api {

class TreeService : public v1::TreeService::CallbackService {
 public:
  explicit TreeService(Edge* edge) : edge_(edge) {}

  grpc::ServerUnaryReactor* Create(grpc::CallbackServerContext* context,
                                   const v1::CreateRequest* request,
                                   v1::CreateResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::GetResponse* response) override;
  grpc::ServerUnaryReactor* Set(grpc::CallbackServerContext* context, const v1::SetRequest* request,
                                v1::SetResponse* response) override;
  grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context,
                                   const v1::DeleteRequest* request,
                                   v1::DeleteResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerUnaryReactor* GetAcl(grpc::CallbackServerContext* context,
                                   const v1::GetAclRequest* request,
                                   v1::GetAclResponse* response) override;
  grpc::ServerUnaryReactor* SetAcl(grpc::CallbackServerContext* context,
                                   const v1::SetAclRequest* request,
                                   v1::SetAclResponse* response) override;
  grpc::ServerUnaryReactor* Transact(grpc::CallbackServerContext* context,
                                     const v1::TransactRequest* request,
                                     v1::TransactResponse* response) override;
  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context,
                                   const v1::WhoAmIRequest* request,
                                   v1::WhoAmIResponse* response) override;
  grpc::ServerUnaryReactor* Sync(grpc::CallbackServerContext* context,
                                 const v1::SyncRequest* request,
                                 v1::SyncResponse* response) override;
  grpc::ServerWriteReactor<v1::WalkResponse>* Walk(grpc::CallbackServerContext* context,
                                                   const v1::WalkRequest* request) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>* Pipeline(
      grpc::CallbackServerContext* context) override;

 private:
  Edge* const edge_;
};

}  // namespace pando::api

#endif  // PANDO_API_TREE_SERVICE_H_
