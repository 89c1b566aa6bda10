#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

struct RmOptions {
  std::string path;
  bool recursive = false;
  std::optional<int64_t> if_version;
};

absl::Status Rm(const Globals& globals, const RmOptions& options) {
  v1::DeleteRequest request;
  request.set_path(options.path);
  request.set_recursive(options.recursive);
  if (options.if_version) request.set_expected_version(*options.if_version);

  Connection connection = globals.Connect();
  v1::DeleteResponse response;
  const absl::Status status =
      connection.Call(CallKind::kWrite, &v1::TreeService::Stub::Delete, request, &response);
  if (!status.ok()) return status;
  switch (globals.FormatOr(Format::kTable)) {
    case Format::kTable:
      if (options.recursive) Print(absl::StrCat("removed ", response.removed_count(), " nodes\n"));
      break;
    case Format::kRaw:
      Print(absl::StrCat(response.removed_count(), "\n"));
      break;
    case Format::kJson:
      Print(Line({{"path", options.path}, {"removed_count", response.removed_count()}}) + "\n");
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void AddRm(CommandLine* line) {
  const auto options = std::make_shared<RmOptions>();
  CLI::App* command = AddCommand(line, &line->app, "rm", "Remove a node",
                                 [line, options] { return Rm(line->globals, *options); });
  command->add_option("PATH", options->path, "The node")->required();
  command->add_flag("-r,--recursive", options->recursive,
                    "All below it too, at once or not at all; at most 10,000 nodes");
  command->add_option("--if-version", options->if_version, "Only if this is its version")
      ->type_name("N");
}

}  // namespace pando::cli
