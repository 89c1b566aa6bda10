#include "cli/mirror/pando_target.h"

#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/acl_text.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "cli/server_error.h"
#include "cli/walk.h"
#include "model/limits.h"
#include "model/path.h"

namespace pando::cli {
namespace {

void SetData(const model::NodeBytes& data, auto* request) {
  if (data) request->set_data(*data);
}

// What people are told of an operation that was refused, without the transaction that it was in.
std::string ReasonOf(const v1::OperationError& error) {
  ServerError refusal = ErrorOf(error);
  refusal.metadata.erase("branch");
  refusal.metadata.erase("failed_operation");
  return Describe(refusal);
}

}  // namespace

v1::PipelineOperation OperationOf(const Write& write) {
  v1::PipelineOperation operation;
  if (write.kind == Write::Kind::kRemove) {
    operation.mutable_delete_()->set_path(write.path);
    return operation;
  }
  // Whether it is there is for the server to see: what is done twice has been done once before.
  v1::TransactRequest& transact = *operation.mutable_transact();
  v1::Compare& compare = *transact.add_compares();
  compare.set_path(write.path);
  compare.set_subject(v1::COMPARE_SUBJECT_EXISTS);
  compare.set_relation(v1::COMPARE_RELATION_EQUAL);
  compare.set_number(0);
  v1::CreateRequest& create = *transact.add_then_operations()->mutable_create();
  create.set_path(write.path);
  SetData(write.data, &create);
  ToProto(write.acl, create.mutable_acl());
  if (write.sets_data) {
    v1::SetRequest& set = *transact.add_else_operations()->mutable_set();
    set.set_path(write.path);
    SetData(write.data, &set);
  }
  if (write.sets_acl) {
    v1::SetAclRequest& set_acl = *transact.add_else_operations()->mutable_set_acl();
    set_acl.set_path(write.path);
    ToProto(write.acl, set_acl.mutable_acl());
  }
  return operation;
}

std::string ObjectionTo(const Write& write) {
  if (write.kind == Write::Kind::kRemove) return "";
  const absl::Status valid = model::ValidatePath(write.path);
  if (!valid.ok()) return std::string(valid.message());
  if (write.bytes() > model::kValueBytesHardMax) {
    return absl::StrCat("more than the ", BytesText(model::kValueBytesHardMax),
                        " that a node can hold");
  }
  size_t acl_bytes = 0;
  for (const model::AclEntry& entry : write.acl) {
    if (!IsText(entry.identity.scheme) || !IsText(entry.identity.id)) {
      return "its ACL names somebody whose name is no text";
    }
    acl_bytes += entry.identity.scheme.size() + entry.identity.id.size();
  }
  if (acl_bytes > model::kAclBytesMax || write.acl.size() > model::kAclEntriesMax) {
    return absl::StrCat("its ACL has more than ", model::kAclEntriesMax, " entries or ",
                        BytesText(model::kAclBytesMax));
  }
  return "";
}

absl::StatusOr<Inventory> PandoInventory(Connection* connection, const std::string& path) {
  v1::GetRequest get;
  get.set_path(path);
  get.set_without_data(true);
  bool found = true;
  PANDO_RETURN_IF_ERROR(
      connection->Call(CallKind::kRead, [&](const Server& server, grpc::ClientContext* context) {
        connection->PrepareRead(get.mutable_header());
        v1::GetResponse response;
        const grpc::Status status = server.tree->Get(context, get, &response);
        found = status.ok() || ErrorOf(status).reason != "NO_NODE";
        return found ? status : grpc::Status::OK;
      }));
  Inventory inventory;
  if (!found) return inventory;
  v1::WalkRequest request;
  request.set_path(path);
  request.set_with_acl(true);
  PANDO_RETURN_IF_ERROR(Walk(connection, request, [&](const v1::WalkEntry& entry) {
    if (entry.stat().ephemeral_owner() == 0 && !IsSystemPath(entry.path())) {
      inventory.emplace_hint(inventory.end(), entry.path(),
                             FingerprintOf(DataOf(entry), ToModel(entry.acl())));
    }
    return absl::OkStatus();
  }));
  return inventory;
}

absl::Status MakePandoParents(Connection* connection, const std::string& path) {
  const std::string parent(model::ParentPath(path));
  if (parent == "/") return absl::OkStatus();
  v1::CreateRequest request;
  request.set_path(parent);
  request.set_create_parents(true);
  request.set_if_not_exists(true);
  v1::CreateResponse response;
  return connection->Call(CallKind::kRepeatableWrite, &v1::TreeService::Stub::Create, request,
                          &response);
}

absl::StatusOr<bool> WriteToPando(Connection* connection, Mirror* mirror,
                                  const std::function<absl::Status()>& meanwhile) {
  if (!mirror->has_writes()) return false;
  absl::Status failure;
  std::deque<Write> sent;
  PipelineTraffic traffic;
  traffic.next = [&]() -> std::optional<v1::PipelineOperation> {
    if (failure.ok()) failure = meanwhile();
    while (failure.ok()) {
      std::optional<Write> write = mirror->NextWrite();
      if (!write) break;
      const std::string objection = ObjectionTo(*write);
      if (objection.empty()) {
        sent.push_back(*std::move(write));
        return OperationOf(sent.back());
      }
      mirror->Written(*write, objection);
    }
    return std::nullopt;
  };
  traffic.on_result = [&](const v1::PipelineOperation&, const v1::PipelineResult& result) {
    CHECK(!sent.empty());
    const Write write = std::move(sent.front());
    sent.pop_front();
    // Whoever removes what is gone has what he wants.
    const bool refused = result.has_error() && (write.kind == Write::Kind::kPut ||
                                                result.error().reason() != v1::REASON_NO_NODE);
    mirror->Written(write, refused ? ReasonOf(result.error()) : "");
    return failure;
  };
  PANDO_RETURN_IF_ERROR(RunPipeline(connection, traffic));
  PANDO_RETURN_IF_ERROR(failure);
  return true;
}

}  // namespace pando::cli
