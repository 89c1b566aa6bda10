#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/commands/data_argument.h"
#include "cli/held_session.h"
#include "cli/signals.h"

namespace pando::cli {
namespace {

struct CreateOptions {
  std::string path;
  DataArgument data;
  bool ephemeral = false;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  std::optional<std::chrono::milliseconds> ttl;
};

absl::StatusOr<v1::CreateRequest> RequestOf(const CreateOptions& options) {
  const absl::StatusOr<Data> data = options.data.Read();
  if (!data.ok()) return data.status();
  v1::CreateRequest request;
  request.set_path(options.path);
  if (*data) request.set_data(**data);
  request.set_sequential(options.sequential);
  request.set_create_parents(options.parents);
  request.set_kind(v1::NODE_KIND_PERSISTENT);
  if (options.container) request.set_kind(v1::NODE_KIND_CONTAINER);
  if (options.ephemeral) request.set_kind(v1::NODE_KIND_EPHEMERAL);
  if (options.ttl) {
    request.set_kind(v1::NODE_KIND_TTL);
    request.set_ttl_ms(options.ttl->count());
  }
  return request;
}

void PrintCreated(const v1::CreateResponse& response, Format format) {
  if (format == Format::kJson) {
    Print(Line({{"path", response.path()}, {"stat", StatJson(response.stat())}}) + "\n");
  } else {
    Print(response.path() + "\n");
  }
}

// The session, and with it the node, lives until the user stops the command.
absl::Status CreateAndHold(const Globals& globals, const v1::CreateRequest& request) {
  Signals signals;
  Connection connection = globals.Connect();
  HeldSession session(&connection);
  PANDO_RETURN_IF_ERROR(session.Open(globals.timeout.value_or(Globals::kTimeout)));
  v1::CreateResponse response;
  // It has a session and a request id.
  const absl::Status created = connection.Call(
      CallKind::kRepeatableWrite, [&](const Server& server, grpc::ClientContext* context) {
        v1::CreateRequest signed_request = request;
        session.Sign(signed_request.mutable_header(), context, /*request_id=*/1);
        return server.tree->Create(context, signed_request, &response);
      });
  if (!created.ok()) {
    // The session would expire by itself; its end is not what the user asked about.
    session.Close().IgnoreError();
    return created;
  }
  PrintCreated(response, globals.FormatOr(Format::kTable));
  if (!FlushOutput()) return absl::InternalError("cannot write to the standard output");
  Note(absl::StrCat("session ", session.id(), " holds it; Ctrl-C ends both"));
  PANDO_RETURN_IF_ERROR(session.KeepAlive([&] { return signals.Stopped(); }));
  return session.Close();
}

absl::Status Create(const Globals& globals, const CreateOptions& options) {
  const absl::StatusOr<v1::CreateRequest> request = RequestOf(options);
  if (!request.ok()) return request.status();
  if (options.ephemeral) return CreateAndHold(globals, *request);

  Connection connection = globals.Connect();
  v1::CreateResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kWrite, &v1::TreeService::Stub::Create, *request, &response));
  PrintCreated(response, globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

}  // namespace

void AddCreate(CommandLine* line) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* command = AddCommand(line, &line->app, "create", "Make a node, and print its path",
                                 [line, options] { return Create(line->globals, *options); });
  command->add_option("PATH", options->path, "The node")->required();
  options->data.AddTo(command, "Its data (default: null); - takes the standard input");
  CLI::Option* ephemeral =
      command->add_flag("-e,--ephemeral", options->ephemeral,
                        "It lives as long as this command runs, in a session of its own");
  command->add_flag("-s,--sequential", options->sequential, "A number is put after its name");
  command->add_flag("-p,--parents", options->parents, "Missing parents are made, with null data");
  CLI::Option* container =
      command->add_flag("-c,--container", options->container, "It goes after its last child went")
          ->excludes(ephemeral);
  AddDuration(command, "--ttl", &options->ttl,
              "It goes when it had no children and no change for so long")
      ->excludes(ephemeral)
      ->excludes(container);
}

}  // namespace pando::cli
