#include "watch/target_index.h"

#include "base/check.h"
#include "base/status.h"
#include "model/path.h"

namespace pando::watch {

void TargetIndex::Insert(const model::WatchTarget& target, Place place, Stream* stream) {
  const bool added = OfKind(target.kind)[target.path].emplace(place, stream).second;
  CHECK(added);
}

void TargetIndex::Erase(const model::WatchTarget& target, Place place) {
  ByPath& by_path = OfKind(target.kind);
  const auto found = by_path.find(target.path);
  CHECK(found != by_path.end());
  CHECK(found->second.erase(place) == 1);
  if (found->second.empty()) by_path.erase(found);
}

void TargetIndex::Find(const model::Change& change, std::vector<const Targets*>* found) const {
  found->clear();
  FindAt(nodes_, change.path, found);
  const bool of_children =
      change.kind == model::ChangeKind::kCreated || change.kind == model::ChangeKind::kDeleted;
  // The root is nobody's child, though it is its own parent path.
  if (of_children && change.path != "/") FindAt(children_, model::ParentPath(change.path), found);
  if (subtrees_.empty()) return;
  std::string_view ancestor = change.path;
  FindAt(subtrees_, ancestor, found);
  while (ancestor != "/") {
    ancestor = model::ParentPath(ancestor);
    FindAt(subtrees_, ancestor, found);
  }
}

TargetIndex::ByPath& TargetIndex::OfKind(model::WatchTarget::Kind kind) {
  switch (kind) {
    case model::WatchTarget::Kind::kNode:
      return nodes_;
    case model::WatchTarget::Kind::kChildren:
      return children_;
    case model::WatchTarget::Kind::kSubtree:
      return subtrees_;
  }
  CHECK(false);
  return nodes_;
}

void TargetIndex::FindAt(const ByPath& by_path, std::string_view path,
                         std::vector<const Targets*>* found) {
  const auto at = by_path.find(base::View(path));
  if (at != by_path.end()) found->push_back(&at->second);
}

}  // namespace pando::watch
