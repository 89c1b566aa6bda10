#include "cli/tree_drawing.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "model/path.h"

namespace pando::cli {
namespace {

size_t DepthOf(const std::string& path) {
  return path == "/" ? 0 : static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
}

std::string_view ParentOf(const Json& node) {
  return model::ParentPath(node["path"].get_ref<const std::string&>());
}

}  // namespace

std::string DrawTree(const std::vector<std::string>& paths) {
  CHECK(!paths.empty());
  const size_t top = DepthOf(paths[0]);
  // A node is the last of its parent if no later one of its depth comes before a shallower one:
  // seen from the end, open[d] says that a later sibling at depth d was drawn.
  std::vector<bool> is_last(paths.size());
  std::vector<bool> open;
  for (size_t i = paths.size(); i-- > 0;) {
    const size_t depth = DepthOf(paths[i]) - top;
    if (open.size() <= depth) open.resize(depth + 1, false);
    is_last[i] = !open[depth];
    open.resize(depth + 1);
    open[depth] = true;
  }

  std::string text = paths[0] + "\n";
  std::vector<bool> line_below;  // for each depth: whether a branch goes on further down
  for (size_t i = 1; i < paths.size(); ++i) {
    const size_t depth = DepthOf(paths[i]) - top;
    CHECK(depth >= 1);
    line_below.resize(depth);
    for (size_t d = 1; d < depth; ++d) text.append(line_below[d - 1] ? "│   " : "    ");
    line_below[depth - 1] = !is_last[i];
    absl::StrAppend(&text, is_last[i] ? "└── " : "├── ", std::string(model::LastName(paths[i])),
                    "\n");
  }
  return absl::StrCat(text, "\n", paths.size(), paths.size() == 1 ? " node\n" : " nodes\n");
}

Json TreeJson(const std::vector<std::string>& paths) {
  CHECK(!paths.empty());
  const auto node = [](const std::string& path) {
    return Json{{"name", model::LastName(path)}, {"path", path}, {"children", Json::array()}};
  };
  // Built from the leaves up: children are moved into their parents when those come, so that no
  // pointer into a growing array is kept. `stack` holds finished siblings, the last first.
  std::vector<Json> stack;
  for (size_t i = paths.size(); i-- > 0;) {
    Json json = node(paths[i]);
    while (!stack.empty() && ParentOf(stack.back()) == paths[i]) {
      json["children"].push_back(std::move(stack.back()));
      stack.pop_back();
    }
    stack.push_back(std::move(json));
  }
  CHECK(stack.size() == 1);
  return std::move(stack.front());
}

}  // namespace pando::cli
