// TranslateCluster: the messages of ClusterService to the model and back. Pure functions; as in
// api/translate.h.
#ifndef PANDO_API_TRANSLATE_CLUSTER_H_
#define PANDO_API_TRANSLATE_CLUSTER_H_

#include "io/client.h"
#include "model/reply.h"
#include "pando/v1/cluster.pb.h"

namespace pando::api {

// What is asked of the leader. It checks what only the membership tells; here are refused ids that
// cannot be, and addresses that are none.
[[nodiscard]] model::Error FromProto(const v1::AddMemberRequest& in, io::AdminOrder* out);
[[nodiscard]] model::Error FromProto(const v1::PromoteMemberRequest& in, io::AdminOrder* out);
[[nodiscard]] model::Error FromProto(const v1::RemoveMemberRequest& in, io::AdminOrder* out);
[[nodiscard]] model::Error FromProto(const v1::TransferLeadershipRequest& in, io::AdminOrder* out);

void ToProto(const model::Reply& in, v1::StatusResponse* out);
void ToProto(const model::Reply& in, v1::ListMembersResponse* out);
void ToProto(const model::Reply& in, v1::AddMemberResponse* out);
void ToProto(const model::Reply& in, v1::PromoteMemberResponse* out);
void ToProto(const model::Reply& in, v1::RemoveMemberResponse* out);
void ToProto(const model::Reply& in, v1::TransferLeadershipResponse* out);
void ToProto(const model::Reply& in, v1::DigestResponse* out);

}  // namespace pando::api

#endif  // PANDO_API_TRANSLATE_CLUSTER_H_
