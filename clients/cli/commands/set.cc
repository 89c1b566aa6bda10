#include <memory>

#include "cli/commands/command.h"
#include "cli/commands/data_argument.h"

namespace pando::cli {
namespace {

struct SetOptions {
  std::string path;
  DataArgument data;
  bool null = false;
  std::optional<int64_t> if_version;
};

absl::Status Set(const Globals& globals, const SetOptions& options) {
  // Nothing given is more likely a slip than null data.
  if (options.data.given() == options.null) {
    return absl::InvalidArgumentError(
        "set needs DATA, --file FILE or --null, and one of them only");
  }
  const absl::StatusOr<Data> data = options.data.Read();
  if (!data.ok()) return data.status();
  v1::SetRequest request;
  request.set_path(options.path);
  if (*data) request.set_data(**data);
  if (options.if_version) request.set_expected_version(*options.if_version);

  Connection connection = globals.Connect();
  v1::SetResponse response;
  const absl::Status status =
      connection.Call(CallKind::kWrite, &v1::TreeService::Stub::Set, request, &response);
  if (status.ok() && globals.format == Format::kJson) {
    Print(Line({{"path", options.path}, {"stat", StatJson(response.stat())}}) + "\n");
  }
  return status;
}

}  // namespace

void AddSet(CommandLine* line) {
  const auto options = std::make_shared<SetOptions>();
  CLI::App* command = AddCommand(line, &line->app, "set", "Replace a node's data",
                                 [line, options] { return Set(line->globals, *options); });
  command->add_option("PATH", options->path, "The node")->required();
  options->data.AddTo(command, "Its new data; - takes the standard input");
  command->add_flag("--null", options->null, "Null data, which is not the same as empty");
  command->add_option("--if-version", options->if_version, "Only if this is its version")
      ->type_name("N");
}

}  // namespace pando::cli
