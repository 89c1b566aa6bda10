#include "api/cluster_service.h"

#include "api/unary.h"

namespace pando::api {

grpc::ServerUnaryReactor* ClusterService::Status(grpc::CallbackServerContext* context,
                                                 const v1::StatusRequest* request,
                                                 v1::StatusResponse* response) {
  constexpr std::string_view kMethod = "ClusterService/Status";
  Caller caller;
  const model::Error error = CallerOf(*edge_, *context, request->header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(edge_, kMethod, error);
  io::Request ask{.deadline = DeadlineOf(*edge_, *context), .body = io::GetStatus{}};
  return UnaryCall::Post(edge_, kMethod, std::move(ask), request->ByteSizeLong(),
                         [edge = edge_, response](const io::Completion& completion) {
                           edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                                             response->mutable_header());
                           ToProto(completion.reply, response);
                         });
}

}  // namespace pando::api
