#include <algorithm>
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/path_order.h"
#include "cli/tree_drawing.h"
#include "cli/walk.h"

namespace pando::cli {
namespace {

struct TreeOptions {
  std::string path = "/";
  int depth = 0;  // 0: all
};

absl::Status Tree(const Globals& globals, const TreeOptions& options) {
  Connection connection = globals.Connect();
  v1::WalkRequest request;
  request.set_path(options.path);
  request.set_max_depth(options.depth);
  request.set_without_data(true);
  std::vector<std::string> paths;
  PANDO_RETURN_IF_ERROR(Walk(&connection, request, [&](const v1::WalkEntry& entry) {
    paths.push_back(entry.path());
    return absl::OkStatus();
  }));
  std::sort(paths.begin(), paths.end(), PathBefore);

  switch (globals.FormatOr(Format::kTable)) {
    case Format::kTable:
      Print(DrawTree(paths));
      break;
    case Format::kJson:
      Print(Line(TreeJson(paths)) + "\n");
      break;
    case Format::kRaw:
      for (const std::string& path : paths) Print(path + "\n");
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void AddTree(CommandLine* line) {
  const auto options = std::make_shared<TreeOptions>();
  CLI::App* command = AddCommand(line, &line->app, "tree", "Draw a subtree, at one revision",
                                 [line, options] { return Tree(line->globals, *options); });
  command->add_option("PATH", options->path, "The topmost node (default /)");
  command->add_option("--depth", options->depth, "So many levels below it (default: all)")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
}

}  // namespace pando::cli
