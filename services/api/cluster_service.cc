#include "api/cluster_service.h"

#include <utility>

#include "api/backup.h"
#include "api/translate_cluster.h"
#include "api/unary.h"

namespace pando::api {
namespace {

template <class Out>
grpc::ServerUnaryReactor* Post(const Call& call, io::Request ask, Out* out) {
  return UnaryCall::Post(call, std::move(ask),
                         Responding(call.edge(), out, [](const model::Reply& reply, Out* response) {
                           ToProto(reply, response);
                         }));
}

// A read of `Body` as the header wants it.
template <class Body, class In, class Out>
grpc::ServerUnaryReactor* StartRead(const Call& call, const In& in, Out* out) {
  Caller caller;
  const model::Error error = call.Admit(in.header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  return Post(call,
              {.min_revision = caller.header.min_revision,
               .consistency = caller.header.consistency,
               .deadline = call.Deadline(),
               .body = Body{}},
              out);
}

// Something that the leader does, wherever it is asked for.
template <class In, class Out>
grpc::ServerUnaryReactor* StartOrder(const Call& call, const In& in, Out* out) {
  Caller caller;
  io::Administer administer;
  model::Error error = call.Admit(in.header(), &caller);
  if (error.ok()) error = FromProto(in, &administer.order);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  return Post(call, {.deadline = call.Deadline(), .body = std::move(administer)}, out);
}

}  // namespace

grpc::ServerUnaryReactor* ClusterService::Status(grpc::CallbackServerContext* context,
                                                 const v1::StatusRequest* request,
                                                 v1::StatusResponse* response) {
  const Call call(edge_, MethodOf("ClusterService/Status"), *context, request);
  Caller caller;
  const model::Error error = call.Admit(request->header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(call, error);
  // It tells of now, also where there is no leader to wait for: the header's wishes do not count.
  return Post(call, {.deadline = call.Deadline(), .body = io::GetStatus{}}, response);
}

grpc::ServerUnaryReactor* ClusterService::ListMembers(grpc::CallbackServerContext* context,
                                                      const v1::ListMembersRequest* request,
                                                      v1::ListMembersResponse* response) {
  return StartRead<io::GetMembers>(
      Call(edge_, MethodOf("ClusterService/ListMembers"), *context, request), *request, response);
}

grpc::ServerUnaryReactor* ClusterService::AddMember(grpc::CallbackServerContext* context,
                                                    const v1::AddMemberRequest* request,
                                                    v1::AddMemberResponse* response) {
  return StartOrder(Call(edge_, MethodOf("ClusterService/AddMember"), *context, request), *request,
                    response);
}

grpc::ServerUnaryReactor* ClusterService::PromoteMember(grpc::CallbackServerContext* context,
                                                        const v1::PromoteMemberRequest* request,
                                                        v1::PromoteMemberResponse* response) {
  return StartOrder(Call(edge_, MethodOf("ClusterService/PromoteMember"), *context, request),
                    *request, response);
}

grpc::ServerUnaryReactor* ClusterService::RemoveMember(grpc::CallbackServerContext* context,
                                                       const v1::RemoveMemberRequest* request,
                                                       v1::RemoveMemberResponse* response) {
  return StartOrder(Call(edge_, MethodOf("ClusterService/RemoveMember"), *context, request),
                    *request, response);
}

grpc::ServerUnaryReactor* ClusterService::TransferLeadership(
    grpc::CallbackServerContext* context, const v1::TransferLeadershipRequest* request,
    v1::TransferLeadershipResponse* response) {
  return StartOrder(Call(edge_, MethodOf("ClusterService/TransferLeadership"), *context, request),
                    *request, response);
}

grpc::ServerWriteReactor<v1::SnapshotResponse>* ClusterService::Snapshot(
    grpc::CallbackServerContext* context, const v1::SnapshotRequest* request) {
  return BackupCall::Start(edge_, *context, *request);
}

grpc::ServerUnaryReactor* ClusterService::Digest(grpc::CallbackServerContext* context,
                                                 const v1::DigestRequest* request,
                                                 v1::DigestResponse* response) {
  return StartRead<io::GetDigest>(Call(edge_, MethodOf("ClusterService/Digest"), *context, request),
                                  *request, response);
}

}  // namespace pando::api
