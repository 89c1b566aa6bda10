// A subtree as a picture, and as nested JSON.
#ifndef PANDO_CLIENTS_CLI_TREE_DRAWING_H_
#define PANDO_CLIENTS_CLI_TREE_DRAWING_H_

#include <string>
#include <vector>

#include "cli/output.h"

namespace pando::cli {

// `paths`: the topmost node and all that is to be shown below it, in the order of PathBefore.
// REQUIRES: not empty; each path but the first has its parent among them.
//
//   /apps
//   ├── db
//   └── web
//       └── port
//
//   4 nodes
std::string DrawTree(const std::vector<std::string>& paths);

// {"name", "path", "children": [...]}. REQUIRES: as above.
Json TreeJson(const std::vector<std::string>& paths);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_TREE_DRAWING_H_
