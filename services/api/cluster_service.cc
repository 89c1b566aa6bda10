#include "api/cluster_service.h"

#include <string_view>
#include <utility>

#include "api/backup.h"
#include "api/translate_cluster.h"
#include "api/unary.h"

namespace pando::api {
namespace {

template <class In, class Out>
grpc::ServerUnaryReactor* Post(Edge* edge, std::string_view method, io::Request ask, const In& in,
                               Out* out) {
  return UnaryCall::Post(edge, method, std::move(ask), in.ByteSizeLong(),
                         [edge, out](const io::Completion& completion) {
                           edge->WriteHeader(completion.reply.revision, completion.stream_revision,
                                             out->mutable_header());
                           ToProto(completion.reply, out);
                         });
}

// A read of `Body` as the header wants it.
template <class Body, class In, class Out>
grpc::ServerUnaryReactor* StartRead(Edge* edge, const grpc::CallbackServerContext& context,
                                    std::string_view method, const In& in, Out* out) {
  Caller caller;
  const model::Error error = CallerOf(*edge, context, in.header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(edge, method, error);
  return Post(edge, method,
              {.min_revision = caller.header.min_revision,
               .consistency = caller.header.consistency,
               .deadline = DeadlineOf(*edge, context),
               .body = Body{}},
              in, out);
}

// Something that the leader does, wherever it is asked for.
template <class In, class Out>
grpc::ServerUnaryReactor* StartOrder(Edge* edge, const grpc::CallbackServerContext& context,
                                     std::string_view method, const In& in, Out* out) {
  Caller caller;
  io::Administer administer;
  model::Error error = CallerOf(*edge, context, in.header(), &caller);
  if (error.ok()) error = FromProto(in, &administer.order);
  if (!error.ok()) return UnaryCall::Fail(edge, method, error);
  return Post(edge, method, {.deadline = DeadlineOf(*edge, context), .body = std::move(administer)},
              in, out);
}

}  // namespace

grpc::ServerUnaryReactor* ClusterService::Status(grpc::CallbackServerContext* context,
                                                 const v1::StatusRequest* request,
                                                 v1::StatusResponse* response) {
  constexpr std::string_view kMethod = "ClusterService/Status";
  Caller caller;
  const model::Error error = CallerOf(*edge_, *context, request->header(), &caller);
  if (!error.ok()) return UnaryCall::Fail(edge_, kMethod, error);
  // It tells of now, also where there is no leader to wait for: the header's wishes do not count.
  return Post(edge_, kMethod, {.deadline = DeadlineOf(*edge_, *context), .body = io::GetStatus{}},
              *request, response);
}

grpc::ServerUnaryReactor* ClusterService::ListMembers(grpc::CallbackServerContext* context,
                                                      const v1::ListMembersRequest* request,
                                                      v1::ListMembersResponse* response) {
  return StartRead<io::GetMembers>(edge_, *context, "ClusterService/ListMembers", *request,
                                   response);
}

grpc::ServerUnaryReactor* ClusterService::AddMember(grpc::CallbackServerContext* context,
                                                    const v1::AddMemberRequest* request,
                                                    v1::AddMemberResponse* response) {
  return StartOrder(edge_, *context, "ClusterService/AddMember", *request, response);
}

grpc::ServerUnaryReactor* ClusterService::PromoteMember(grpc::CallbackServerContext* context,
                                                        const v1::PromoteMemberRequest* request,
                                                        v1::PromoteMemberResponse* response) {
  return StartOrder(edge_, *context, "ClusterService/PromoteMember", *request, response);
}

grpc::ServerUnaryReactor* ClusterService::RemoveMember(grpc::CallbackServerContext* context,
                                                       const v1::RemoveMemberRequest* request,
                                                       v1::RemoveMemberResponse* response) {
  return StartOrder(edge_, *context, "ClusterService/RemoveMember", *request, response);
}

grpc::ServerUnaryReactor* ClusterService::TransferLeadership(
    grpc::CallbackServerContext* context, const v1::TransferLeadershipRequest* request,
    v1::TransferLeadershipResponse* response) {
  return StartOrder(edge_, *context, "ClusterService/TransferLeadership", *request, response);
}

grpc::ServerWriteReactor<v1::SnapshotResponse>* ClusterService::Snapshot(
    grpc::CallbackServerContext* context, const v1::SnapshotRequest* request) {
  return BackupCall::Start(edge_, *context, *request);
}

grpc::ServerUnaryReactor* ClusterService::Digest(grpc::CallbackServerContext* context,
                                                 const v1::DigestRequest* request,
                                                 v1::DigestResponse* response) {
  return StartRead<io::GetDigest>(edge_, *context, "ClusterService/Digest", *request, response);
}

}  // namespace pando::api
