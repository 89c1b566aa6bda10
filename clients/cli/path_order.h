// The order of paths in which a node comes right before what is below it: by components.
#ifndef PANDO_CLIENTS_CLI_PATH_ORDER_H_
#define PANDO_CLIENTS_CLI_PATH_ORDER_H_

#include <string_view>

namespace pando::cli {

bool PathBefore(std::string_view a, std::string_view b);

// PathBefore, for sorted containers.
struct PathOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return PathBefore(a, b); }
};

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_PATH_ORDER_H_
