#include "tree/walk.h"

#include "model/path.h"

namespace pando::tree {
namespace {

// As deep as a path is, at most.
bool WalkBelow(const Node& node, const std::string& path, size_t depth, Visit visit) {
  const Step step = visit(node, path, depth);
  if (step != Step::kInto || node.directory() == nullptr) return step != Step::kStop;
  for (const ChildRef& child : node.directory()->children()) {
    const std::string below = model::JoinPath(path, child.node->name());
    if (!WalkBelow(*child.node, below, depth + 1, visit)) return false;
  }
  return true;
}

}  // namespace

bool Walk(const Node& top, const std::string& path, Visit visit) {
  return WalkBelow(top, path, 0, visit);
}

}  // namespace pando::tree
