// What operations do to nodes. The order of the checks is ZooKeeper's.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "base/check.h"
#include "machine/execution.h"
#include "model/limits.h"
#include "model/path.h"
#include "model/usage.h"
#include "model/zookeeper.h"
#include "tree/walk.h"

namespace pando::machine {
namespace {

using model::ChangeKind;
using model::Error;
using model::NodeKind;
using model::OperationResult;
using model::Reason;

OperationResult Failure(Error error) {
  OperationResult result;
  result.error = std::move(error);
  return result;
}

Error NoNode(std::string_view path) {
  return {.reason = Reason::kNoNode,
          .path = std::string(path.substr(0, model::kPathBytesMax)),
          .detail = "there is no such node"};
}

// All that ZooKeeper asks of a path before it looks for the parent: that there may be one. The rest
// it asks of what it is about to create; nothing that is to be deleted can have another name.
Error CheckHasParent(std::string_view path) {
  const bool has_parent = path.find('/') != std::string_view::npos;
  return has_parent && path.find('\0') == std::string_view::npos ? Error() : CheckPath(path);
}

Error CheckExpected(std::optional<int64_t> expected) {
  if (expected && *expected < 0) {
    return {.reason = Reason::kInvalidArgument, .detail = "an expected version is not negative"};
  }
  return {};
}

Error CheckVersion(std::string_view path, std::optional<int64_t> expected, int64_t actual) {
  if (!expected || *expected == actual) return {};
  return {.reason = Reason::kBadVersion,
          .path = std::string(path),
          .detail = absl::StrCat("expected version ", *expected, ", but it is ", actual),
          .expected = expected,
          .actual = actual};
}

Error CheckData(const model::NodeBytes& data) {
  const size_t bytes = model::DataBytes(data);
  if (bytes <= model::kValueBytesHardMax) return {};
  return {.reason = Reason::kTooLarge,
          .detail = absl::StrCat("data of ", bytes, " bytes is over the limit of ",
                                 model::kValueBytesHardMax)};
}

bool HasChildren(const tree::Node& node) {
  return node.directory() != nullptr && !node.directory()->children().empty();
}

// The subtree's paths, a parent before its children; nothing if there are more than `max`.
std::optional<std::vector<std::string>> Subtree(const tree::Node& node, const std::string& path,
                                                size_t max) {
  const auto size = static_cast<size_t>(node.usage().nodes);
  if (size > max) return std::nullopt;
  std::vector<std::string> paths;
  paths.reserve(size);
  tree::Walk(node, path, [&](const tree::Node&, const std::string& at, size_t) {
    paths.push_back(at);
    return tree::Step::kInto;
  });
  return paths;
}

Error TooManyNodes(const std::string& path) {
  return {.reason = Reason::kTooLarge,
          .path = path,
          .detail = absl::StrCat("more than ", model::kRecursiveNodesMax,
                                 " nodes in one request: do it in parts")};
}

}  // namespace

Error CheckPath(std::string_view path) {
  const absl::Status status = model::ValidatePath(path);
  if (status.ok()) return {};
  return {.reason = Reason::kInvalidPath,
          .path = std::string(path.substr(0, model::kPathBytesMax)),
          .detail = std::string(status.message())};
}

Error Permit(const State& state, const std::vector<model::Identity>& identities,
             const acl::Need& need, std::string_view path, const tree::Node& node) {
  const codec::AclId id = node.record().acl;
  if (id == 0 || acl::Allows(*state.AclOf(id), need.permissions, identities)) return {};
  return {.reason = Reason::kPermissionDenied,
          .path = std::string(path),
          .detail = "the node's ACL does not grant that"};
}

OperationResult ReadNode(const State& state, const std::vector<model::Identity>& identities,
                         const model::Get& get) {
  if (Error error = CheckPath(get.path); !error.ok()) return Failure(std::move(error));
  const tree::Node* node = state.tree().Find(get.path);
  if (node == nullptr) return Failure(NoNode(get.path));
  Error denied = Permit(state, identities, acl::Needs(get), get.path, *node);
  if (!denied.ok()) return Failure(std::move(denied));
  OperationResult result;
  result.stat = node->stat();
  const codec::NodeRecord record = node->record();
  if (!get.without_data && record.data) result.data = std::string(*record.data);
  return result;
}

Error Execution::Permit(const acl::Need& need, std::string_view path,
                        const tree::Node& node) const {
  return machine::Permit(*state_, command_.identities, need, path, node);
}

Error Execution::PermitConfigNode(std::string_view path,
                                  const std::vector<std::string>& others) const {
  const bool touched = path == model::kConfigPath ||
                       std::find(others.begin(), others.end(), model::kConfigPath) != others.end();
  if (!touched || acl::IsSuper(command_.identities)) return {};
  return {.reason = Reason::kPermissionDenied,
          .path = model::kConfigPath,
          .detail = "only the superuser makes and removes it"};
}

Error Execution::CheckQuota(std::string_view path, int64_t nodes, int64_t bytes) const {
  const tree::Tree& tree = state_->tree();
  const std::string_view exceeded = state_->quotas().Exceeded(
      path, nodes, bytes, [&](std::string_view top) { return tree.UsageOf(top); });
  if (exceeded.empty()) return {};
  return {.reason = Reason::kQuotaExceeded,
          .path = std::string(path),
          .detail = absl::StrCat("the quota of ", base::View(exceeded), " is used up")};
}

// `paths` are those of a subtree: whatever is needed of a parent is needed of each that has
// children there.
Error Execution::CheckSubtree(const acl::Need& need, const std::vector<std::string>& paths) const {
  for (const std::string& path : paths) {
    const tree::Node& node = *state_->tree().Find(path);
    if (need.of == acl::Need::Of::kParent && !HasChildren(node)) continue;
    if (Error error = Permit(need, path, node); !error.ok()) return error;
  }
  return {};
}

Error Execution::CountRecursive(const std::string& path, size_t nodes) {
  recursive_nodes_ += nodes;
  return recursive_nodes_ > model::kRecursiveNodesMax ? TooManyNodes(path) : Error();
}

void Execution::Tell(ChangeKind kind, std::string_view path, const tree::Node& node) {
  const codec::NodeRecord record = node.record();
  const codec::AclId parent_acl =
      path == "/" ? record.acl : state_->tree().Find(model::ParentPath(path))->record().acl;
  model::Change change;
  change.revision = revision_;
  change.kind = kind;
  change.path = std::string(path);
  change.stat = node.stat();
  if (kind != ChangeKind::kDeleted && record.data) change.data = std::string(*record.data);
  change.acl = state_->AclOf(record.acl);
  change.parent_acl = state_->AclOf(parent_acl);
  changes_->push_back(std::move(change));
}

void Execution::CountChild(std::string_view parent, bool created) {
  const tree::Node* node = state_->tree().Find(parent);
  CHECK(node != nullptr);
  codec::DirectoryRecord directory;
  if (node->directory() != nullptr) directory = node->directory()->record();
  directory.children_revision = revision_;
  ++(created ? directory.creates : directory.deletes);
  state_->PutDirectory(parent, directory);
}

// --- Create -----------------------------------------------------------------------------------

Error Execution::CheckCreate(const model::Create& create) const {
  // Parents are made of good paths only; what the number will be matters to none of them.
  Error error = create.create_parents
                    ? CheckPath(create.sequential ? create.path + "0000000000" : create.path)
                    : CheckHasParent(create.path);
  if (!error.ok()) return error;
  if (error = CheckData(create.data); !error.ok()) return error;
  const auto invalid = [](std::string detail) {
    return Error{.reason = Reason::kInvalidArgument, .detail = std::move(detail)};
  };
  if (create.kind == NodeKind::kTtl) {
    if (create.ttl_ms < 1 || create.ttl_ms > model::kTtlMsMax) {
      return invalid(absl::StrCat("a TTL is 1 to ", model::kTtlMsMax, " ms"));
    }
  } else if (create.ttl_ms != 0) {
    return invalid("only a TTL node has a TTL");
  }
  if (create.sequential && create.kind == NodeKind::kContainer) {
    return invalid("a container is not sequential");
  }
  if (create.sequential && create.if_not_exists) {
    return invalid("a sequential node is always new: if_not_exists cannot hold for it");
  }
  if (create.kind == NodeKind::kEphemeral) {
    if (!command_.session) return invalid("an ephemeral node needs a session");
    const session::Session* session = state_->FindSession(command_.session);
    CHECK(session != nullptr);
    if (session->ephemerals.size() >= model::kEphemeralsPerSessionMax) {
      return {.reason = Reason::kQuotaExceeded,
              .detail = absl::StrCat("a session owns at most ", model::kEphemeralsPerSessionMax,
                                     " ephemeral nodes")};
    }
  }
  return {};
}

OperationResult Execution::Apply(const model::Create& create) {
  if (Error error = CheckCreate(create); !error.ok()) return Failure(std::move(error));
  model::Acl acl;
  if (!create.acl.empty()) {
    Error error = acl::Resolve(create.acl, command_.identities, &acl);
    if (!error.ok()) return Failure(std::move(error));
  }
  // The nearest ancestor that is there, and what is missing between it and the node.
  std::vector<std::string> missing;
  std::string ancestor(model::ParentPath(create.path));
  const tree::Node* parent = state_->tree().Find(ancestor);
  while (parent == nullptr && create.create_parents && ancestor != "/") {
    missing.push_back(ancestor);
    ancestor = std::string(model::ParentPath(ancestor));
    parent = state_->tree().Find(ancestor);
  }
  if (parent == nullptr) {
    return Failure({.reason = Reason::kNoParent,
                    .path = create.path.substr(0, model::kPathBytesMax),
                    .detail = "the parent does not exist"});
  }
  Error denied = Permit(acl::Needs(create), ancestor, *parent);
  if (!denied.ok()) return Failure(std::move(denied));

  std::string path = create.path;
  if (create.sequential) {
    // The count of creates so far, of any kind, as ZooKeeper has it; a new parent starts at 0.
    const bool counted = missing.empty() && parent->directory() != nullptr;
    const int64_t number = counted ? parent->directory()->record().creates : 0;
    if (create.sequence_is_int32 && number > std::numeric_limits<int32_t>::max()) {
      return Failure({.reason = Reason::kQuotaExceeded,
                      .path = ancestor,
                      .detail = "the node's next sequence number has more than 31 bits"});
    }
    absl::StrAppendFormat(&path, "%010d", number);
  }
  if (Error error = CheckPath(path); !error.ok()) return Failure(std::move(error));
  if (const tree::Node* existing = state_->tree().Find(path)) {
    if (!create.if_not_exists) {
      return Failure(
          {.reason = Reason::kNodeExists, .path = path, .detail = "the node exists already"});
    }
    OperationResult result;
    result.path = path;
    result.stat = existing->stat();
    result.existed = true;
    return result;
  }
  if (parent->record().kind == NodeKind::kEphemeral) {
    return Failure({.reason = Reason::kNoChildrenForEphemerals,
                    .path = path,
                    .detail = "an ephemeral node has no children"});
  }
  denied = PermitConfigNode(path, missing);
  if (!denied.ok()) return Failure(std::move(denied));
  const auto nodes = static_cast<int64_t>(missing.size() + 1);
  const auto bytes = static_cast<int64_t>(model::DataBytes(create.data));
  if (Error error = CheckQuota(path, nodes, bytes); !error.ok()) return Failure(std::move(error));

  const codec::AclId acl_id = acl.empty() ? 0 : state_->InternAcl(acl);
  static const model::Create kPlain;
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    CreateNode(*it, kPlain, NodeKind::kPersistent, acl_id);
  }
  CreateNode(path, create, create.kind, acl_id);
  OperationResult result;
  result.stat = state_->tree().Find(path)->stat();
  result.path = std::move(path);
  return result;
}

void Execution::CreateNode(const std::string& path, const model::Create& create, NodeKind kind,
                           codec::AclId acl) {
  codec::NodeRecord node;
  node.kind = kind;
  node.create_revision = node.modify_revision = revision_;
  node.ctime = node.mtime = state_->stamp();
  node.acl = acl;
  node.data = create.data;
  if (kind == NodeKind::kEphemeral) node.owner = command_.session;
  if (kind == NodeKind::kTtl) node.ttl_ms = create.ttl_ms;
  state_->PutNode(path, node);
  CountChild(model::ParentPath(path), true);
  Tell(ChangeKind::kCreated, path, *state_->tree().Find(path));
}

// --- Set --------------------------------------------------------------------------------------

OperationResult Execution::Apply(const model::Set& set) {
  for (Error error :
       {CheckPath(set.path), CheckExpected(set.expected_version), CheckData(set.data)}) {
    if (!error.ok()) return Failure(std::move(error));
  }
  const tree::Node* node = state_->tree().Find(set.path);
  if (node == nullptr) return Failure(NoNode(set.path));
  Error denied = Permit(acl::Needs(set), set.path, *node);
  if (!denied.ok()) return Failure(std::move(denied));
  codec::NodeRecord record = node->record();
  const auto more = static_cast<int64_t>(model::DataBytes(set.data)) -
                    static_cast<int64_t>(model::DataBytes(record.data));
  if (Error error = CheckQuota(set.path, 0, more); !error.ok()) return Failure(std::move(error));
  if (Error error = CheckVersion(set.path, set.expected_version, record.version); !error.ok()) {
    return Failure(std::move(error));
  }
  record.data = set.data;
  record.modify_revision = revision_;
  record.mtime = state_->stamp();
  ++record.version;
  state_->PutNode(set.path, record);
  node = state_->tree().Find(set.path);
  Tell(ChangeKind::kDataChanged, set.path, *node);
  OperationResult result;
  result.path = set.path;
  result.stat = node->stat();
  return result;
}

// --- Delete -----------------------------------------------------------------------------------

OperationResult Execution::Apply(const model::Delete& del) {
  for (Error error : {CheckHasParent(del.path), CheckExpected(del.expected_version)}) {
    if (!error.ok()) return Failure(std::move(error));
  }
  if (del.path == "/") {
    return Failure({.reason = Reason::kInvalidArgument,
                    .path = del.path,
                    .detail = "the root cannot be deleted"});
  }
  const std::string_view parent = model::ParentPath(del.path);
  const tree::Node* parent_node = state_->tree().Find(parent);
  if (parent_node == nullptr) return Failure(NoNode(del.path));
  Error denied = Permit(acl::Needs(del), parent, *parent_node);
  if (!denied.ok()) return Failure(std::move(denied));
  const tree::Node* node = state_->tree().Find(del.path);
  if (node == nullptr) return Failure(NoNode(del.path));
  const int64_t version = node->record().version;
  if (Error error = CheckVersion(del.path, del.expected_version, version); !error.ok()) {
    return Failure(std::move(error));
  }
  if (HasChildren(*node) && !del.recursive) {
    return Failure(
        {.reason = Reason::kNotEmpty, .path = del.path, .detail = "the node has children"});
  }
  const bool limited = del.nodes_max > 0;
  const size_t nodes_max = limited ? std::min<size_t>(del.nodes_max, model::kRecursiveNodesMax)
                                   : model::kRecursiveNodesMax;
  const auto paths = Subtree(*node, del.path, nodes_max);
  if (!paths && limited) {
    return Failure({.reason = Reason::kNotEmpty,
                    .path = del.path,
                    .detail = absl::StrCat("the subtree has more than ", nodes_max, " nodes")});
  }
  if (!paths) return Failure(TooManyNodes(del.path));
  denied = CheckSubtree(acl::Needs(del), *paths);
  if (denied.ok()) denied = PermitConfigNode(del.path, *paths);
  if (denied.ok() && del.recursive) denied = CountRecursive(del.path, paths->size());
  if (!denied.ok()) return Failure(std::move(denied));
  for (auto path = paths->rbegin(); path != paths->rend(); ++path) DeleteNode(*path);
  OperationResult result;
  result.path = del.path;
  result.touched = static_cast<int64_t>(paths->size());
  return result;
}

void Execution::DeleteNode(const std::string& path) {
  Tell(ChangeKind::kDeleted, path, *state_->tree().Find(path));
  state_->EraseNode(path);
  CountChild(model::ParentPath(path), false);
}

// --- SetAcl -----------------------------------------------------------------------------------

OperationResult Execution::Apply(const model::SetAcl& set) {
  model::Acl acl;
  for (Error error : {CheckPath(set.path), CheckExpected(set.expected_acl_version),
                      acl::Resolve(set.acl, command_.identities, &acl)}) {
    if (!error.ok()) return Failure(std::move(error));
  }
  const tree::Node* node = state_->tree().Find(set.path);
  if (node == nullptr) return Failure(NoNode(set.path));
  Error denied = Permit(acl::Needs(set), set.path, *node);
  if (!denied.ok()) return Failure(std::move(denied));
  const int64_t version = node->record().acl_version;
  if (Error error = CheckVersion(set.path, set.expected_acl_version, version); !error.ok()) {
    return Failure(std::move(error));
  }
  const auto paths = set.recursive ? Subtree(*node, set.path, model::kRecursiveNodesMax)
                                   : std::vector<std::string>{set.path};
  if (!paths) return Failure(TooManyNodes(set.path));
  denied = CheckSubtree(acl::Needs(set), *paths);
  if (denied.ok() && set.recursive) denied = CountRecursive(set.path, paths->size());
  if (!denied.ok()) return Failure(std::move(denied));
  const codec::AclId acl_id = state_->InternAcl(acl);
  for (const std::string& path : *paths) {
    // A copy: the record's data lies in the block that is replaced.
    const std::string value(state_->tree().Find(path)->value());
    codec::NodeRecord record;
    CHECK(codec::DecodeNode(value, &record));
    record.acl = acl_id;
    ++record.acl_version;
    state_->PutNode(path, record);
    Tell(ChangeKind::kAclChanged, path, *state_->tree().Find(path));
  }
  OperationResult result;
  result.path = set.path;
  result.stat = state_->tree().Find(set.path)->stat();
  result.touched = static_cast<int64_t>(paths->size());
  return result;
}

// --- Inside transactions ----------------------------------------------------------------------

OperationResult Execution::Apply(const model::Check& check) const {
  for (Error error : {CheckPath(check.path), CheckExpected(check.expected_version)}) {
    if (!error.ok()) return Failure(std::move(error));
  }
  const tree::Node* node = state_->tree().Find(check.path);
  if (node == nullptr) return Failure(NoNode(check.path));
  Error denied = Permit(acl::Needs(check), check.path, *node);
  if (!denied.ok()) return Failure(std::move(denied));
  const int64_t version = node->record().version;
  return Failure(CheckVersion(check.path, check.expected_version, version));
}

// Of a node that is there only who may read it is told.
OperationResult Execution::Apply(const model::CheckAbsent& check) const {
  for (Error error : {CheckPath(check.path), CheckExpected(check.expected_version)}) {
    if (!error.ok()) return Failure(std::move(error));
  }
  const tree::Node* node = state_->tree().Find(check.path);
  if (node == nullptr) return {};
  Error denied = Permit(acl::Needs(check), check.path, *node);
  if (!denied.ok()) return Failure(std::move(denied));
  if (check.expected_version.value_or(node->record().version) != node->record().version) return {};
  return Failure({.reason = Reason::kNodeExists, .path = check.path, .detail = "the node exists"});
}

OperationResult Execution::Apply(const model::Get& get) const {
  return ReadNode(*state_, command_.identities, get);
}

}  // namespace pando::machine
