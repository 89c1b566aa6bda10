#include "cli/tree_drawing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/path_order.h"

namespace pando::cli {
namespace {

TEST(TreeDrawing, BranchesEndWithTheirLastChild) {
  EXPECT_EQ(DrawTree({"/", "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f"}),
            "/\n"
            "├── a\n"
            "│   ├── b\n"
            "│   │   └── c\n"
            "│   └── d\n"
            "└── e\n"
            "    └── f\n"
            "\n"
            "7 nodes\n");
}

TEST(TreeDrawing, ATopBelowTheRootAndANodeAlone) {
  EXPECT_EQ(DrawTree({"/a/b", "/a/b/c"}), "/a/b\n└── c\n\n2 nodes\n");
  EXPECT_EQ(DrawTree({"/"}), "/\n\n1 node\n");
}

TEST(TreeDrawing, JsonIsNestedInTheSameOrder) {
  EXPECT_EQ(
      Line(TreeJson({"/", "/a", "/a/b", "/c"})),
      R"({"name":"","path":"/","children":[{"name":"a","path":"/a","children":[)"
      R"({"name":"b","path":"/a/b","children":[]}]},{"name":"c","path":"/c","children":[]}]})");
}

TEST(TreeDrawing, ANodeIsSortedRightBeforeWhatIsBelowIt) {
  std::vector<std::string> paths = {"/a-b", "/a/b", "/", "/ü", "/a", "/a/b/c", "/a!"};
  std::sort(paths.begin(), paths.end(), PathBefore);
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/a", "/a/b", "/a/b/c", "/a!", "/a-b", "/ü"}));
}

}  // namespace
}  // namespace pando::cli
