// Translate: the messages of pando.v1 to the model and back. Pure functions.
//
// FromProto checks what only this edge can see: enumerations, signs, headers where none belongs,
// and what would be a waste to replicate (bad paths, data over --max-value-bytes). All else is the
// machine's to refuse. They give kOk, or why the request is refused; then `*out` is unspecified.
//
// ToProto takes a reply that is ok. A field that the reply lacks stays unset.
#ifndef PANDO_API_TRANSLATE_H_
#define PANDO_API_TRANSLATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/client.h"
#include "model/acl.h"
#include "model/change.h"
#include "model/command.h"
#include "model/query.h"
#include "model/reply.h"
#include "model/watch.h"
#include "pando/v1/common.pb.h"
#include "pando/v1/session.pb.h"
#include "pando/v1/tree.pb.h"

namespace pando::api {

// --- Requests ---------------------------------------------------------------------------------

// INVALID_PATH, or OK.
[[nodiscard]] model::Error CheckPath(const std::string& path);

// What a RequestHeader says.
struct Header {
  model::SessionId session;
  model::RequestId request;
  model::RequestId first_outstanding;
  model::Revision min_revision;
  io::Consistency consistency = io::Consistency::kLocal;
};
// `cluster` is this server's own; none as long as it is not known.
[[nodiscard]] model::Error FromProto(const v1::RequestHeader& in, model::ClusterId cluster,
                                     Header* out);

// `value_bytes_max`: of one node's data.
[[nodiscard]] model::Error FromProto(const v1::CreateRequest& in, size_t value_bytes_max,
                                     model::Create* out);
[[nodiscard]] model::Error FromProto(const v1::SetRequest& in, size_t value_bytes_max,
                                     model::Set* out);
[[nodiscard]] model::Error FromProto(const v1::DeleteRequest& in, size_t value_bytes_max,
                                     model::Delete* out);
[[nodiscard]] model::Error FromProto(const v1::SetAclRequest& in, size_t value_bytes_max,
                                     model::SetAcl* out);
[[nodiscard]] model::Error FromProto(const v1::TransactRequest& in, size_t value_bytes_max,
                                     model::Transaction* out);

[[nodiscard]] model::Error FromProto(const v1::GetRequest& in, model::Get* out);
[[nodiscard]] model::Error FromProto(const v1::ListRequest& in, model::List* out);
[[nodiscard]] model::Error FromProto(const v1::GetAclRequest& in, model::GetAcl* out);
[[nodiscard]] model::Error FromProto(const v1::SyncRequest& in, model::Touch* out);
[[nodiscard]] model::Error FromProto(const v1::WalkRequest& in, model::Walk* out);

// All but stream, outbox, session and identities.
[[nodiscard]] model::Error FromProto(const v1::WatchRequest& in, io::WatchOpen* out);

// One operation of a Pipeline: a command's body or a query's.
[[nodiscard]] model::Error FromProto(const v1::PipelineOperation& in, size_t value_bytes_max,
                                     std::variant<model::CommandBody, model::QueryBody>* out);

// --- Responses --------------------------------------------------------------------------------

// The result of a reply. The core always answers with that of the request; one that does not is
// shown as an empty one, because no client's doing may stop the server.
template <class Result>
const Result& ResultOf(const model::Reply& reply) {
  static const Result kNone;
  const Result* result = std::get_if<Result>(&reply.result);
  return result != nullptr ? *result : kNone;
}

void ToProto(const model::Stat& in, v1::Stat* out);
void ToProto(const model::Acl& in, google::protobuf::RepeatedPtrField<v1::AclEntry>* out);
void ToProto(const model::Identity& in, v1::Identity* out);
void ToProto(const model::WalkResult::Node& in, v1::WalkEntry* out);
void ToProto(const model::Change& in, bool with_data, v1::WatchEvent* out);

void ToProto(const model::Reply& in, v1::CreateResponse* out);
void ToProto(const model::Reply& in, v1::GetResponse* out);
void ToProto(const model::Reply& in, v1::SetResponse* out);
void ToProto(const model::Reply& in, v1::DeleteResponse* out);
void ToProto(const model::Reply& in, v1::GetAclResponse* out);
void ToProto(const model::Reply& in, v1::SetAclResponse* out);
// `list`: codec::ListOf the request, for the token of the next page.
void ToProto(const model::Reply& in, std::string_view list, v1::ListResponse* out);

// What is kept of a transaction until its answer: which operations its branches have. A result
// alone does not say what it is of.
struct TransactShape {
  using Case = v1::TransactOperation::OperationCase;
  std::vector<Case> then_operations;
  std::vector<Case> else_operations;
};
TransactShape ShapeOf(const v1::TransactRequest& request);
void ToProto(const model::Reply& in, const TransactShape& shape, v1::TransactResponse* out);

// The same for one operation of a Pipeline.
struct PipelineShape {
  int64_t request_id = 0;
  v1::PipelineOperation::OperationCase operation = v1::PipelineOperation::OPERATION_NOT_SET;
  std::string list;        // of a List
  TransactShape transact;  // of a Transact
};
PipelineShape ShapeOf(const v1::PipelineOperation& operation);
// Errors too.
void ToProto(const model::Reply& in, const PipelineShape& shape, v1::PipelineResult* out);

}  // namespace pando::api

#endif  // PANDO_API_TRANSLATE_H_
