#include "api/tree_service.h"

#include <string>
#include <utility>

#include "acl/permission.h"
#include "api/pipeline.h"
#include "api/unary.h"
#include "api/walk.h"
#include "api/watch.h"
#include "codec/page_token.h"

namespace pando::api {
namespace {

// For responses that their reply alone tells.
constexpr auto kPlain = [](const model::Reply& reply, auto* out) { ToProto(reply, out); };

}  // namespace

grpc::ServerUnaryReactor* TreeService::Create(grpc::CallbackServerContext* context,
                                              const v1::CreateRequest* request,
                                              v1::CreateResponse* response) {
  return StartCommand<model::Create>(Call(edge_, MethodOf("TreeService/Create"), *context, request),
                                     *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::Get(grpc::CallbackServerContext* context,
                                           const v1::GetRequest* request,
                                           v1::GetResponse* response) {
  return StartQuery<model::Get>(Call(edge_, MethodOf("TreeService/Get"), *context, request),
                                *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::Set(grpc::CallbackServerContext* context,
                                           const v1::SetRequest* request,
                                           v1::SetResponse* response) {
  return StartCommand<model::Set>(Call(edge_, MethodOf("TreeService/Set"), *context, request),
                                  *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::Delete(grpc::CallbackServerContext* context,
                                              const v1::DeleteRequest* request,
                                              v1::DeleteResponse* response) {
  return StartCommand<model::Delete>(Call(edge_, MethodOf("TreeService/Delete"), *context, request),
                                     *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::List(grpc::CallbackServerContext* context,
                                            const v1::ListRequest* request,
                                            v1::ListResponse* response) {
  return StartQuery<model::List>(
      Call(edge_, MethodOf("TreeService/List"), *context, request), *request, response,
      [list = codec::ListOf(request->path(), request->prefix())](
          const model::Reply& reply, v1::ListResponse* out) { ToProto(reply, list, out); });
}

grpc::ServerUnaryReactor* TreeService::GetAcl(grpc::CallbackServerContext* context,
                                              const v1::GetAclRequest* request,
                                              v1::GetAclResponse* response) {
  return StartQuery<model::GetAcl>(Call(edge_, MethodOf("TreeService/GetAcl"), *context, request),
                                   *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::SetAcl(grpc::CallbackServerContext* context,
                                              const v1::SetAclRequest* request,
                                              v1::SetAclResponse* response) {
  return StartCommand<model::SetAcl>(Call(edge_, MethodOf("TreeService/SetAcl"), *context, request),
                                     *request, response, kPlain);
}

grpc::ServerUnaryReactor* TreeService::Transact(grpc::CallbackServerContext* context,
                                                const v1::TransactRequest* request,
                                                v1::TransactResponse* response) {
  return StartCommand<model::Transaction>(
      Call(edge_, MethodOf("TreeService/Transact"), *context, request), *request, response,
      [shape = ShapeOf(*request)](const model::Reply& reply, v1::TransactResponse* out) {
        ToProto(reply, shape, out);
      });
}

grpc::ServerUnaryReactor* TreeService::Sync(grpc::CallbackServerContext* context,
                                            const v1::SyncRequest* request,
                                            v1::SyncResponse* response) {
  return StartQuery<model::Touch>(Call(edge_, MethodOf("TreeService/Sync"), *context, request),
                                  *request, response,
                                  [](const model::Reply&, v1::SyncResponse*) {});
}

grpc::ServerUnaryReactor* TreeService::WhoAmI(grpc::CallbackServerContext* context,
                                              const v1::WhoAmIRequest* request,
                                              v1::WhoAmIResponse* response) {
  const Call call(edge_, MethodOf("TreeService/WhoAmI"), *context, request);
  Caller caller;
  const model::Error error = call.Admit(request->header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  const bool administrator =
      acl::Allows(edge_->options().administrators, model::kAdmin, caller.identities);
  const auto write = [identities = caller.identities, administrator](const model::Reply&,
                                                                     v1::WhoAmIResponse* out) {
    for (const model::Identity& identity : identities) ToProto(identity, out->add_identities());
    out->set_administrator(administrator);
  };
  return UnaryCall::Post(call, MakeQuery(caller, call.Deadline(), model::Touch{}),
                         Responding(edge_, response, write));
}

grpc::ServerWriteReactor<v1::WalkResponse>* TreeService::Walk(grpc::CallbackServerContext* context,
                                                              const v1::WalkRequest* request) {
  return WalkCall::Start(edge_, *context, *request);
}

grpc::ServerWriteReactor<v1::WatchResponse>* TreeService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest* request) {
  return WatchCall::Start(edge_, *context, *request);
}

grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>* TreeService::Pipeline(
    grpc::CallbackServerContext* context) {
  return PipelineCall::Start(edge_, context);
}

}  // namespace pando::api
