// Walk: one way through a subtree, for whoever has to see all of it.
#ifndef PANDO_TREE_WALK_H_
#define PANDO_TREE_WALK_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "tree/tree.h"

namespace pando::tree {

// What comes after a node: what is below it, or what comes behind that, or nothing.
enum class Step : uint8_t { kInto, kOver, kStop };

// `depth` is how far the node is below the top. REQUIRES: it changes nothing of the tree.
using Visit = absl::FunctionRef<Step(const Node& node, const std::string& path, size_t depth)>;

// Depth first, a parent before its children and those by name. False: it was stopped. How large a
// subtree is says its usage, without a walk.
bool Walk(const Node& top, const std::string& path, Visit visit);

}  // namespace pando::tree

#endif  // PANDO_TREE_WALK_H_
