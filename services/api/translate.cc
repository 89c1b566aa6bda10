#include "api/translate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "base/check.h"
#include "codec/page_token.h"
#include "model/limits.h"
#include "model/path.h"

namespace pando::api {
namespace {

using model::Error;
using model::Reason;

Error CheckNotNegative(const char* field, int64_t value) {
  if (value >= 0) return {};
  return InvalidArgument(absl::StrCat(field, " is negative"));
}

Error CheckData(const std::string& path, const model::NodeBytes& data, size_t value_bytes_max) {
  if (!data || data->size() <= value_bytes_max) return {};
  return {.reason = Reason::kTooLarge,
          .path = path,
          .detail = absl::StrCat("data of ", data->size(), " bytes is over the limit of ",
                                 value_bytes_max)};
}

// The requests of a transaction and of a Pipeline have their header around them.
template <class Request>
Error CheckNoHeader(const Request& request) {
  if (!request.has_header()) return {};
  return InvalidArgument("a header inside another request");
}

template <class In>
model::NodeBytes DataOf(const In& in) {
  return in.has_data() ? model::NodeBytes(in.data()) : std::nullopt;
}

void Parse(const google::protobuf::RepeatedPtrField<v1::AclEntry>& in, model::Acl* out) {
  out->clear();
  for (const v1::AclEntry& entry : in) {
    out->push_back({entry.permissions(), {entry.identity().scheme(), entry.identity().id()}});
  }
}

Error Parse(v1::NodeKind in, model::NodeKind* out) {
  switch (in) {
    case v1::NODE_KIND_UNSPECIFIED:
    case v1::NODE_KIND_PERSISTENT:
      *out = model::NodeKind::kPersistent;
      return {};
    case v1::NODE_KIND_EPHEMERAL:
      *out = model::NodeKind::kEphemeral;
      return {};
    case v1::NODE_KIND_CONTAINER:
      *out = model::NodeKind::kContainer;
      return {};
    case v1::NODE_KIND_TTL:
      *out = model::NodeKind::kTtl;
      return {};
    default:
      return InvalidArgument(absl::StrCat("kind ", static_cast<int>(in), " is not known"));
  }
}

Error Parse(v1::CompareSubject in, model::Compare::Subject* out) {
  if (in == v1::COMPARE_SUBJECT_UNSPECIFIED || !v1::CompareSubject_IsValid(in)) {
    return InvalidArgument(absl::StrCat("subject ", static_cast<int>(in), " is not known"));
  }
  static_assert(static_cast<int>(model::Compare::Subject::kExists) == v1::COMPARE_SUBJECT_EXISTS);
  static_assert(static_cast<int>(model::Compare::Subject::kOwner) ==
                v1::COMPARE_SUBJECT_EPHEMERAL_OWNER);
  static_assert(v1::CompareSubject_MAX == v1::COMPARE_SUBJECT_EPHEMERAL_OWNER);
  *out = static_cast<model::Compare::Subject>(in);
  return {};
}

Error Parse(v1::CompareRelation in, model::Compare::Relation* out) {
  if (in == v1::COMPARE_RELATION_UNSPECIFIED || !v1::CompareRelation_IsValid(in)) {
    return InvalidArgument(absl::StrCat("relation ", static_cast<int>(in), " is not known"));
  }
  static_assert(static_cast<int>(model::Compare::Relation::kEqual) == v1::COMPARE_RELATION_EQUAL);
  static_assert(static_cast<int>(model::Compare::Relation::kGreater) ==
                v1::COMPARE_RELATION_GREATER);
  static_assert(v1::CompareRelation_MAX == v1::COMPARE_RELATION_GREATER);
  *out = static_cast<model::Compare::Relation>(in);
  return {};
}

Error Parse(const v1::Compare& in, model::Compare* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  PANDO_RETURN_IF_REFUSED(Parse(in.subject(), &out->subject));
  PANDO_RETURN_IF_REFUSED(Parse(in.relation(), &out->relation));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("number", in.number()));
  out->path = in.path();
  out->number = in.number();
  if (out->subject == model::Compare::Subject::kData) out->bytes = DataOf(in);
  return {};
}

Error Parse(const v1::CheckOperation& in, model::Operation* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  model::Check check{.path = in.path()};
  if (in.has_expected_version()) {
    PANDO_RETURN_IF_REFUSED(CheckNotNegative("expected_version", in.expected_version()));
    check.expected_version = in.expected_version();
  }
  *out = std::move(check);
  return {};
}

Error Parse(const v1::GetRequest& in, model::Operation* out) {
  PANDO_RETURN_IF_REFUSED(CheckNoHeader(in));
  model::Get get;
  PANDO_RETURN_IF_REFUSED(FromProto(in, &get));
  *out = std::move(get);
  return {};
}

// One operation of a transaction, of the given type.
template <class Body, class In>
Error Put(const In& in, size_t value_bytes_max, model::Operation* out) {
  PANDO_RETURN_IF_REFUSED(CheckNoHeader(in));
  Body body;
  PANDO_RETURN_IF_REFUSED(FromProto(in, value_bytes_max, &body));
  *out = std::move(body);
  return {};
}

Error Parse(const v1::TransactOperation& in, size_t value_bytes_max, model::Operation* out) {
  switch (in.operation_case()) {
    case v1::TransactOperation::kCreate:
      return Put<model::Create>(in.create(), value_bytes_max, out);
    case v1::TransactOperation::kSet:
      return Put<model::Set>(in.set(), value_bytes_max, out);
    case v1::TransactOperation::kDelete:
      return Put<model::Delete>(in.delete_(), value_bytes_max, out);
    case v1::TransactOperation::kSetAcl:
      return Put<model::SetAcl>(in.set_acl(), value_bytes_max, out);
    case v1::TransactOperation::kCheck:
      return Parse(in.check(), out);
    case v1::TransactOperation::kGet:
      return Parse(in.get(), out);
    case v1::TransactOperation::OPERATION_NOT_SET:
      break;
  }
  return InvalidArgument("an operation that says nothing, or that this server does not know");
}

Error Parse(const google::protobuf::RepeatedPtrField<v1::TransactOperation>& in,
            size_t value_bytes_max, std::vector<model::Operation>* out) {
  out->reserve(static_cast<size_t>(in.size()));
  for (const v1::TransactOperation& operation : in) {
    PANDO_RETURN_IF_REFUSED(Parse(operation, value_bytes_max, &out->emplace_back()));
  }
  return {};
}

int64_t Number(auto id) { return static_cast<int64_t>(id.value()); }

}  // namespace

Error CheckPath(const std::string& path) {
  const absl::Status status = model::ValidatePath(path);
  if (status.ok()) return {};
  return {.reason = Reason::kInvalidPath,
          .path = path.substr(0, model::kPathBytesMax),
          .detail = std::string(status.message())};
}

// --- Requests ---------------------------------------------------------------------------------

Error FromProto(const v1::RequestHeader& in, model::ClusterId cluster, Header* out) {
  if (in.cluster_id() != 0 && in.cluster_id() != cluster.value()) {
    return {.reason = Reason::kWrongCluster,
            .detail = absl::StrCat("the header names another ensemble: this is ", cluster.value())};
  }
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("session_id", in.session_id()));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("request_id", in.request_id()));
  PANDO_RETURN_IF_REFUSED(
      CheckNotNegative("first_outstanding_request_id", in.first_outstanding_request_id()));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("min_revision", in.min_revision()));
  switch (in.consistency()) {
    case v1::CONSISTENCY_UNSPECIFIED:
    case v1::CONSISTENCY_LOCAL:
      out->consistency = io::Consistency::kLocal;
      break;
    case v1::CONSISTENCY_LINEARIZABLE:
      out->consistency = io::Consistency::kLinearizable;
      break;
    default:
      return InvalidArgument(
          absl::StrCat("consistency ", static_cast<int>(in.consistency()), " is not known"));
  }
  out->session = model::SessionId(static_cast<uint64_t>(in.session_id()));
  out->request = model::RequestId(static_cast<uint64_t>(in.request_id()));
  out->first_outstanding =
      model::RequestId(static_cast<uint64_t>(in.first_outstanding_request_id()));
  out->min_revision = model::Revision(static_cast<uint64_t>(in.min_revision()));
  return {};
}

Error FromProto(const v1::CreateRequest& in, size_t value_bytes_max, model::Create* out) {
  // The number that a sequential path gets is not known yet: it is checked with one as short.
  PANDO_RETURN_IF_REFUSED(CheckPath(in.sequential() ? in.path() + "0000000000" : in.path()));
  PANDO_RETURN_IF_REFUSED(Parse(in.kind(), &out->kind));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("ttl_ms", in.ttl_ms()));
  if (in.sequential() && out->kind == model::NodeKind::kContainer) {
    return InvalidArgument("a container is not sequential");
  }
  out->path = in.path();
  out->data = DataOf(in);
  out->sequential = in.sequential();
  out->ttl_ms = in.ttl_ms();
  Parse(in.acl(), &out->acl);
  out->create_parents = in.create_parents();
  out->if_not_exists = in.if_not_exists();
  return CheckData(out->path, out->data, value_bytes_max);
}

Error FromProto(const v1::SetRequest& in, size_t value_bytes_max, model::Set* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  out->path = in.path();
  out->data = DataOf(in);
  if (in.has_expected_version()) {
    PANDO_RETURN_IF_REFUSED(CheckNotNegative("expected_version", in.expected_version()));
    out->expected_version = in.expected_version();
  }
  return CheckData(out->path, out->data, value_bytes_max);
}

Error FromProto(const v1::DeleteRequest& in, size_t, model::Delete* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  out->path = in.path();
  if (in.has_expected_version()) {
    PANDO_RETURN_IF_REFUSED(CheckNotNegative("expected_version", in.expected_version()));
    out->expected_version = in.expected_version();
  }
  out->recursive = in.recursive();
  return {};
}

Error FromProto(const v1::SetAclRequest& in, size_t, model::SetAcl* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  out->path = in.path();
  Parse(in.acl(), &out->acl);
  if (in.has_expected_acl_version()) {
    PANDO_RETURN_IF_REFUSED(CheckNotNegative("expected_acl_version", in.expected_acl_version()));
    out->expected_acl_version = in.expected_acl_version();
  }
  out->recursive = in.recursive();
  return {};
}

Error FromProto(const v1::TransactRequest& in, size_t value_bytes_max, model::Transaction* out) {
  const auto operations = static_cast<size_t>(in.then_operations_size()) +
                          static_cast<size_t>(in.else_operations_size());
  if (static_cast<size_t>(in.compares_size()) > model::kTransactComparesMax ||
      operations > model::kTransactOperationsMax) {
    return {.reason = Reason::kTooLarge,
            .detail = absl::StrCat("a transaction has at most ", model::kTransactComparesMax,
                                   " compares and ", model::kTransactOperationsMax, " operations")};
  }
  out->compares.reserve(static_cast<size_t>(in.compares_size()));
  for (const v1::Compare& compare : in.compares()) {
    PANDO_RETURN_IF_REFUSED(Parse(compare, &out->compares.emplace_back()));
  }
  PANDO_RETURN_IF_REFUSED(Parse(in.then_operations(), value_bytes_max, &out->then_operations));
  return Parse(in.else_operations(), value_bytes_max, &out->else_operations);
}

Error FromProto(const v1::GetRequest& in, model::Get* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  out->path = in.path();
  out->without_data = in.without_data();
  return {};
}

Error FromProto(const v1::ListRequest& in, model::List* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("page_size", in.page_size()));
  if (!codec::ParsePageToken(in.page_token(), codec::ListOf(in.path(), in.prefix()), &out->after)) {
    return InvalidArgument("the page token is of another list");
  }
  out->path = in.path();
  out->page_size = static_cast<uint32_t>(in.page_size());
  out->prefix = in.prefix();
  out->with_stat = in.with_stat();
  out->with_data = in.with_data();
  return {};
}

Error FromProto(const v1::GetAclRequest& in, model::GetAcl* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  out->path = in.path();
  return {};
}

Error FromProto(const v1::SyncRequest&, model::Touch*) { return {}; }

Error FromProto(const v1::WalkRequest& in, model::Walk* out) {
  PANDO_RETURN_IF_REFUSED(CheckPath(in.path()));
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("max_depth", in.max_depth()));
  out->path = in.path();
  out->max_depth = static_cast<uint32_t>(in.max_depth());
  out->without_data = in.without_data();
  out->with_acl = in.with_acl();
  return {};
}

Error FromProto(const v1::WatchRequest& in, io::WatchOpen* out) {
  if (in.targets().empty()) return InvalidArgument("a watch has at least one target");
  if (static_cast<size_t>(in.targets_size()) > model::kTargetsPerStreamMax) {
    return InvalidArgument(
        absl::StrCat("a watch has at most ", model::kTargetsPerStreamMax, " targets"));
  }
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("start_revision", in.start_revision()));
  if (in.send_initial() && in.start_revision() != 0) {
    return InvalidArgument("start_revision and send_initial exclude each other");
  }
  for (const v1::WatchTarget& target : in.targets()) {
    PANDO_RETURN_IF_REFUSED(CheckPath(target.path()));
    if (target.kind() == v1::WATCH_KIND_UNSPECIFIED || !v1::WatchKind_IsValid(target.kind())) {
      return InvalidArgument(
          absl::StrCat("kind ", static_cast<int>(target.kind()), " is not known"));
    }
    static_assert(static_cast<int>(model::WatchTarget::Kind::kNode) == v1::WATCH_KIND_NODE);
    static_assert(static_cast<int>(model::WatchTarget::Kind::kSubtree) == v1::WATCH_KIND_SUBTREE);
    static_assert(v1::WatchKind_MAX == v1::WATCH_KIND_SUBTREE);
    out->targets.push_back({.path = target.path(),
                            .kind = static_cast<model::WatchTarget::Kind>(target.kind()),
                            .with_data = target.with_data(),
                            .once = target.once()});
  }
  out->start_revision = model::Revision(static_cast<uint64_t>(in.start_revision()));
  out->send_initial = in.send_initial();
  return {};
}

namespace {

using PipelineBody = std::variant<model::CommandBody, model::QueryBody>;

template <class Body, class In>
Error PutCommand(const In& in, size_t value_bytes_max, PipelineBody* out) {
  PANDO_RETURN_IF_REFUSED(CheckNoHeader(in));
  Body body;
  PANDO_RETURN_IF_REFUSED(FromProto(in, value_bytes_max, &body));
  *out = model::CommandBody(std::move(body));
  return {};
}

template <class Body, class In>
Error PutQuery(const In& in, PipelineBody* out) {
  PANDO_RETURN_IF_REFUSED(CheckNoHeader(in));
  Body body;
  PANDO_RETURN_IF_REFUSED(FromProto(in, &body));
  *out = model::QueryBody(std::move(body));
  return {};
}

}  // namespace

Error FromProto(const v1::PipelineOperation& in, size_t value_bytes_max, PipelineBody* out) {
  PANDO_RETURN_IF_REFUSED(CheckNotNegative("request_id", in.request_id()));
  switch (in.operation_case()) {
    case v1::PipelineOperation::kCreate:
      return PutCommand<model::Create>(in.create(), value_bytes_max, out);
    case v1::PipelineOperation::kGet:
      return PutQuery<model::Get>(in.get(), out);
    case v1::PipelineOperation::kSet:
      return PutCommand<model::Set>(in.set(), value_bytes_max, out);
    case v1::PipelineOperation::kDelete:
      return PutCommand<model::Delete>(in.delete_(), value_bytes_max, out);
    case v1::PipelineOperation::kList:
      return PutQuery<model::List>(in.list(), out);
    case v1::PipelineOperation::kGetAcl:
      return PutQuery<model::GetAcl>(in.get_acl(), out);
    case v1::PipelineOperation::kSetAcl:
      return PutCommand<model::SetAcl>(in.set_acl(), value_bytes_max, out);
    case v1::PipelineOperation::kTransact:
      return PutCommand<model::Transaction>(in.transact(), value_bytes_max, out);
    case v1::PipelineOperation::kSync:
      return PutQuery<model::Touch>(in.sync(), out);
    case v1::PipelineOperation::OPERATION_NOT_SET:
      break;
  }
  return InvalidArgument("an operation that says nothing, or that this server does not know");
}

// --- Responses --------------------------------------------------------------------------------

namespace {

void Write(const model::OperationResult& in, v1::CreateResponse* out) {
  out->set_path(in.path);
  ToProto(in.stat, out->mutable_stat());
  out->set_existed(in.existed);
}

void Write(const model::OperationResult& in, v1::GetResponse* out) {
  if (in.data) out->set_data(*in.data);
  ToProto(in.stat, out->mutable_stat());
}

void Write(const model::OperationResult& in, v1::SetResponse* out) {
  ToProto(in.stat, out->mutable_stat());
}

void Write(const model::OperationResult& in, v1::DeleteResponse* out) {
  out->set_removed_count(in.touched);
}

void Write(const model::OperationResult& in, v1::SetAclResponse* out) {
  ToProto(in.stat, out->mutable_stat());
  out->set_changed_count(in.touched);
}

void Write(const model::OperationResult& in, v1::TransactOperation::OperationCase operation,
           v1::TransactResult* out) {
  switch (operation) {
    case v1::TransactOperation::kCreate:
      return Write(in, out->mutable_create());
    case v1::TransactOperation::kSet:
      return Write(in, out->mutable_set());
    case v1::TransactOperation::kDelete:
      return Write(in, out->mutable_delete_());
    case v1::TransactOperation::kSetAcl:
      return Write(in, out->mutable_set_acl());
    case v1::TransactOperation::kCheck:
      out->mutable_check();
      return;
    case v1::TransactOperation::kGet:
      return Write(in, out->mutable_get());
    case v1::TransactOperation::OPERATION_NOT_SET:
      return;
  }
}

}  // namespace

void ToProto(const model::Stat& in, v1::Stat* out) {
  out->set_create_revision(Number(in.create_revision));
  out->set_modify_revision(Number(in.modify_revision));
  out->set_children_revision(Number(in.children_revision));
  out->set_ctime_ms(in.ctime.ms);
  out->set_mtime_ms(in.mtime.ms);
  out->set_version(in.version);
  out->set_children_version(in.children_version);
  out->set_acl_version(in.acl_version);
  out->set_ephemeral_owner(Number(in.ephemeral_owner));
  out->set_data_length(in.data_length);
  out->set_children_count(in.children_count);
}

void ToProto(const model::Identity& in, v1::Identity* out) {
  out->set_scheme(in.scheme);
  out->set_id(in.id);
}

void ToProto(const model::Acl& in, google::protobuf::RepeatedPtrField<v1::AclEntry>* out) {
  for (const model::AclEntry& entry : in) {
    v1::AclEntry* row = out->Add();
    row->set_permissions(entry.permissions);
    ToProto(entry.identity, row->mutable_identity());
  }
}

void ToProto(const model::WalkResult::Node& in, v1::WalkEntry* out) {
  out->set_path(in.path);
  if (in.data) out->set_data(*in.data);
  ToProto(in.stat, out->mutable_stat());
  ToProto(in.acl, out->mutable_acl());
}

void ToProto(const model::Change& in, bool with_data, v1::WatchEvent* out) {
  static_assert(static_cast<int>(model::ChangeKind::kCreated) == v1::EVENT_KIND_CREATED);
  static_assert(static_cast<int>(model::ChangeKind::kDeleted) == v1::EVENT_KIND_DELETED);
  static_assert(static_cast<int>(model::ChangeKind::kDataChanged) == v1::EVENT_KIND_DATA_CHANGED);
  static_assert(static_cast<int>(model::ChangeKind::kAclChanged) == v1::EVENT_KIND_ACL_CHANGED);
  out->set_revision(Number(in.revision));
  out->set_kind(static_cast<v1::EventKind>(in.kind));
  out->set_path(in.path);
  ToProto(in.stat, out->mutable_stat());
  if (with_data && in.data) out->set_data(*in.data);
}

void ToProto(const model::Reply& in, v1::CreateResponse* out) {
  Write(ResultOf<model::OperationResult>(in), out);
}

void ToProto(const model::Reply& in, v1::GetResponse* out) {
  Write(ResultOf<model::OperationResult>(in), out);
}

void ToProto(const model::Reply& in, v1::SetResponse* out) {
  Write(ResultOf<model::OperationResult>(in), out);
}

void ToProto(const model::Reply& in, v1::DeleteResponse* out) {
  Write(ResultOf<model::OperationResult>(in), out);
}

void ToProto(const model::Reply& in, v1::SetAclResponse* out) {
  Write(ResultOf<model::OperationResult>(in), out);
}

void ToProto(const model::Reply& in, v1::GetAclResponse* out) {
  const auto& result = ResultOf<model::AclResult>(in);
  ToProto(result.acl, out->mutable_acl());
  ToProto(result.stat, out->mutable_stat());
}

void ToProto(const model::Reply& in, std::string_view list, v1::ListResponse* out) {
  const auto& result = ResultOf<model::ListResult>(in);
  for (const model::ListResult::Child& child : result.children) {
    v1::ListEntry* entry = out->add_entries();
    entry->set_name(child.name);
    if (child.stat) ToProto(*child.stat, entry->mutable_stat());
    if (child.data) entry->set_data(*child.data);
  }
  if (!result.next_after.empty())
    out->set_next_page_token(codec::PageToken(list, result.next_after));
  ToProto(result.parent, out->mutable_stat());
}

TransactShape ShapeOf(const v1::TransactRequest& request) {
  TransactShape shape;
  for (const auto& operation : request.then_operations()) {
    shape.then_operations.push_back(operation.operation_case());
  }
  for (const auto& operation : request.else_operations()) {
    shape.else_operations.push_back(operation.operation_case());
  }
  return shape;
}

void ToProto(const model::Reply& in, const TransactShape& shape, v1::TransactResponse* out) {
  const auto& result = ResultOf<model::TransactionResult>(in);
  const auto& operations = result.compared_true ? shape.then_operations : shape.else_operations;
  out->set_compared_true(result.compared_true);
  out->set_data_omitted(result.data_omitted);
  for (size_t i = 0; i < operations.size() && i < result.results.size(); ++i) {
    Write(result.results[i], operations[i], out->add_results());
  }
}

PipelineShape ShapeOf(const v1::PipelineOperation& operation) {
  PipelineShape shape;
  shape.request_id = operation.request_id();
  shape.operation = operation.operation_case();
  if (operation.has_list()) {
    shape.list = codec::ListOf(operation.list().path(), operation.list().prefix());
  }
  if (operation.has_transact()) shape.transact = ShapeOf(operation.transact());
  return shape;
}

void ToProto(const model::Reply& in, const PipelineShape& shape, v1::PipelineResult* out) {
  out->set_request_id(shape.request_id);
  out->set_revision(Number(in.revision));
  if (!in.ok()) return ToProto(in, out->mutable_error());
  switch (shape.operation) {
    case v1::PipelineOperation::kCreate:
      return ToProto(in, out->mutable_create());
    case v1::PipelineOperation::kGet:
      return ToProto(in, out->mutable_get());
    case v1::PipelineOperation::kSet:
      return ToProto(in, out->mutable_set());
    case v1::PipelineOperation::kDelete:
      return ToProto(in, out->mutable_delete_());
    case v1::PipelineOperation::kList:
      return ToProto(in, shape.list, out->mutable_list());
    case v1::PipelineOperation::kGetAcl:
      return ToProto(in, out->mutable_get_acl());
    case v1::PipelineOperation::kSetAcl:
      return ToProto(in, out->mutable_set_acl());
    case v1::PipelineOperation::kTransact:
      return ToProto(in, shape.transact, out->mutable_transact());
    case v1::PipelineOperation::kSync:
      out->mutable_sync();
      return;
    case v1::PipelineOperation::OPERATION_NOT_SET:
      return;
  }
}

}  // namespace pando::api
