// Reads: answered from memory, at the revision that is applied.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acl/permission.h"
#include "base/check.h"
#include "machine/execution.h"
#include "machine/machine.h"
#include "model/limits.h"
#include "model/usage.h"
#include "tree/walk.h"

namespace pando::machine {
namespace {

using model::Error;
using model::Reason;
using model::Reply;

using Identities = std::vector<model::Identity>;

struct Found {
  const tree::Node* node = nullptr;
  Error error;
};

// The node that a query is about, if its caller may read that.
template <class Body>
Found Find(const State& state, const Identities& identities, const Body& body) {
  Found found;
  found.error = CheckPath(body.path);
  if (!found.error.ok()) return found;
  found.node = state.tree().Find(body.path);
  if (found.node == nullptr) {
    found.error = {.reason = Reason::kNoNode, .path = body.path, .detail = "there is no such node"};
  } else {
    found.error = Permit(state, identities, acl::Needs(body), body.path, *found.node);
  }
  return found;
}

bool MayRead(const State& state, const Identities& identities, const tree::Node& node) {
  return Permit(state, identities, acl::Needs(model::Get()), {}, node).ok();
}

Reply Answer(const State&, const Identities&, const model::Touch&) { return {}; }

Reply Answer(const State& state, const Identities& identities, const model::Get& get) {
  model::OperationResult result = ReadNode(state, identities, get);
  if (!result.error.ok()) return Reply::Failure(std::move(result.error));
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

Reply Answer(const State& state, const Identities& identities, const model::GetAcl& get) {
  Found found = Find(state, identities, get);
  if (!found.error.ok()) return Reply::Failure(std::move(found.error));
  model::Acl acl = acl::ShownTo(identities, *state.AclOf(found.node->record().acl));
  Reply reply;
  reply.result = model::AclResult{std::move(acl), found.node->stat()};
  return reply;
}

// A page ends at its size in children or in bytes, whichever comes first, and holds at least one.
// Names are told to whoever may read the parent; the rest of a child only to whoever may read it.
Reply Answer(const State& state, const Identities& identities, const model::List& list) {
  Found found = Find(state, identities, list);
  if (!found.error.ok()) return Reply::Failure(std::move(found.error));
  model::ListResult result;
  result.parent = found.node->stat();
  Reply reply;
  if (found.node->directory() == nullptr) {
    reply.result = std::move(result);
    return reply;
  }
  const size_t page = list.page_size == 0 ? model::kListPageDefault
                                          : std::min<size_t>(list.page_size, model::kListPageMax);
  const tree::Children& children = found.node->directory()->children();
  auto child = list.after < list.prefix ? children.lower_bound(list.prefix)
                                        : children.upper_bound(list.after);
  size_t bytes = 0;
  for (; child != children.end(); ++child) {
    const tree::Node& node = *child->node;
    if (!absl::StartsWith(base::View(node.name()), list.prefix)) break;
    const codec::NodeRecord record = node.record();
    const size_t child_bytes = node.name().size() + (list.with_stat ? sizeof(model::Stat) : 0) +
                               (list.with_data ? model::DataBytes(record.data) : 0);
    const bool full = result.children.size() == page ||
                      (!result.children.empty() && bytes + child_bytes > model::kListPageBytesMax);
    if (full) {
      result.next_after = result.children.back().name;
      break;
    }
    bytes += child_bytes;
    model::ListResult::Child& row = result.children.emplace_back();
    row.name = std::string(node.name());
    if ((list.with_stat || list.with_data) && !MayRead(state, identities, node)) continue;
    if (list.with_stat) row.stat = node.stat();
    if (list.with_data && record.data) row.data = std::string(*record.data);
  }
  reply.result = std::move(result);
  return reply;
}

// Nodes that the caller may not read are left out, each for itself: a walk shows what a watch of
// the subtree would.
class Walker {
 public:
  Walker(const State& state, const Identities& identities, const model::Walk& walk)
      : state_(state), identities_(identities), walk_(walk) {}

  // False: it is more than one turn may read.
  bool Run(const tree::Node& top) {
    return tree::Walk(top, walk_.path, [&](const auto&... visited) { return Visit(visited...); });
  }
  model::WalkResult TakeResult() { return std::move(result_); }

 private:
  tree::Step Visit(const tree::Node& node, const std::string& path, size_t depth) {
    if (++visited_ > model::kWalkInTurnNodesMax) return tree::Step::kStop;
    if (MayRead(state_, identities_, node)) Add(node, path);
    if (bytes_ > model::kWalkInTurnBytesMax) return tree::Step::kStop;
    const bool deepest = walk_.max_depth != 0 && depth == walk_.max_depth;
    return deepest ? tree::Step::kOver : tree::Step::kInto;
  }
  void Add(const tree::Node& node, const std::string& path) {
    const codec::NodeRecord record = node.record();
    model::WalkResult::Node row{.path = path, .stat = node.stat()};
    if (!walk_.without_data && record.data) row.data = std::string(*record.data);
    if (walk_.with_acl) row.acl = acl::ShownTo(identities_, *state_.AclOf(record.acl));
    bytes_ += sizeof row + path.size() + model::DataBytes(row.data);
    result_.nodes.push_back(std::move(row));
  }

  const State& state_;
  const Identities& identities_;
  const model::Walk& walk_;
  model::WalkResult result_;
  size_t visited_ = 0;
  size_t bytes_ = 0;
};

Reply Answer(const State& state, const Identities& identities, const model::Walk& walk) {
  Found found = Find(state, identities, walk);
  const bool hidden = found.error.reason == Reason::kPermissionDenied;
  if (!found.error.ok() && !hidden) return Reply::Failure(std::move(found.error));
  Walker walker(state, identities, walk);
  if (!walker.Run(*found.node)) {
    return Reply::Failure({.reason = Reason::kTooLarge,
                           .path = walk.path,
                           .detail = "the subtree is too large for one answer"});
  }
  Reply reply;
  model::WalkResult result = walker.TakeResult();
  if (result.nodes.empty()) return Reply::Failure(std::move(found.error));
  reply.result = std::move(result);
  return reply;
}

Reply Answer(const State& state, const Identities&, const model::ListSessions&) {
  model::SessionsResult result;
  for (const auto& [id, session] : state.sessions()) {
    result.sessions.push_back({.session = id,
                               .timeout_ms = session.record.timeout_ms,
                               .ephemerals = static_cast<int64_t>(session.ephemerals.size()),
                               .kept_replies = static_cast<int64_t>(session.kept.size()),
                               .attachment = session.record.attachment});
  }
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

bool Wants(model::ListNames::Only only, const tree::Node& node) {
  if (only == model::ListNames::Only::kAll) return true;
  const bool ephemeral = node.record().kind == model::NodeKind::kEphemeral;
  return ephemeral == (only == model::ListNames::Only::kEphemeral);
}

Reply Answer(const State& state, const Identities& identities, const model::ListNames& list) {
  Found found = Find(state, identities, list);
  if (!found.error.ok()) return Reply::Failure(std::move(found.error));
  model::NamesResult result;
  result.parent = found.node->stat();
  if (const tree::Directory* directory = found.node->directory()) {
    result.names.reserve(directory->children().size());
    for (const tree::ChildRef& child : directory->children()) {
      if (Wants(list.only, *child.node)) result.names.emplace_back(child.node->name());
    }
  }
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

Reply Answer(const State& state, const Identities& identities,
             const model::CountDescendants& count) {
  Found found = Find(state, identities, count);
  if (!found.error.ok()) return Reply::Failure(std::move(found.error));
  Reply reply;
  reply.result = model::CountResult{.nodes = found.node->usage().nodes - 1};
  return reply;
}

Reply Answer(const State& state, const Identities&, const model::ListEphemerals& list) {
  model::NamesResult result;
  if (const session::Session* session = state.FindSession(list.session)) {
    for (auto path = session->ephemerals.lower_bound(list.prefix);
         path != session->ephemerals.end() && absl::StartsWith(*path, list.prefix); ++path) {
      result.names.push_back(*path);
    }
  }
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

Reply Answer(const State& state, const Identities&, const model::Probe& probe) {
  model::StatsResult result;
  for (const std::string& path : probe.paths) {
    std::optional<model::Stat>& stat = result.stats.emplace_back();
    if (!CheckPath(path).ok()) continue;
    if (const tree::Node* node = state.tree().Find(path)) stat = node->stat();
  }
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

}  // namespace

Reply Machine::Query(const model::Query& query) const {
  Reply reply = std::visit([&](const auto& body) { return Answer(state_, query.identities, body); },
                           query.body);
  reply.revision = applied_;
  return reply;
}

bool Machine::MayRead(const std::vector<model::Identity>& identities, std::string_view path) const {
  const tree::Node* node = state_.tree().Find(path);
  return node != nullptr && machine::MayRead(state_, identities, *node);
}

}  // namespace pando::machine
