// Locks and elections: run a program while the lock is held, or while this one leads.
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/held_place.h"
#include "pando/v1/election.grpc.pb.h"
#include "pando/v1/lock.grpc.pb.h"

namespace pando::cli {
namespace {

struct QueueOptions {
  std::string name;
  std::string data;
  std::optional<std::chrono::milliseconds> wait;
  std::optional<std::chrono::milliseconds> session_timeout;
  bool show = false;
  bool observe = false;
  std::vector<std::string> program;
};

// Fills in what Lock and Campaign have in common.
template <class Request>
Request RequestOf(const QueueOptions& options) {
  Request request;
  request.set_name(options.name);
  request.set_data(options.data);
  if (options.wait) request.set_wait_timeout_ms(options.wait->count());
  return request;
}

template <class Stub, class Request, class Response>
absl::Status Hold(const Globals& globals, const QueueOptions& options,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  if (options.program.empty()) {
    return absl::InvalidArgumentError("name the program to run, after --");
  }
  const TakePlace take = [&](const Server& server, grpc::ClientContext* context,
                             const v1::RequestHeader& header, Held* held) {
    Request request = RequestOf<Request>(options);
    *request.mutable_header() = header;
    Response response;
    const grpc::Status status = (Stub(server.channel).*method)(context, request, &response);
    if (status.ok()) *held = {response.ownership_path(), response.fencing_token()};
    return status;
  };
  HoldOptions hold{.program = options.program};
  if (options.session_timeout) hold.session_timeout = *options.session_timeout;
  return RunHolding(globals, hold, take);
}

// --- What is shown ----------------------------------------------------------------------------

Data DataOf(const std::string& data) { return data.empty() ? Data() : Data(data); }

template <class Place>
Json PlaceJson(const Place& place) {
  Json json = {{"session_id", place.session_id()},
               {"ownership_path", place.ownership_path()},
               {"fencing_token", place.fencing_token()}};
  PutData(&json, DataOf(place.data()));
  return json;
}

absl::Status ShowLock(const Globals& globals, const QueueOptions& options) {
  Connection connection = globals.Connect();
  v1::DescribeRequest request;
  request.set_name(options.name);
  v1::DescribeResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRead, &v1::LockService::Stub::Describe, request, &response));
  if (globals.FormatOr(Format::kTable) == Format::kJson) {
    Json waiting = Json::array();
    for (const v1::LockPlace& place : response.waiting()) waiting.push_back(PlaceJson(place));
    Print(Line({{"holder", response.has_holder() ? PlaceJson(response.holder()) : Json()},
                {"waiting", waiting},
                {"waiting_count", response.waiting_count()}}) +
          "\n");
    return absl::OkStatus();
  }
  Table table({{""}, {"SESSION", true}, {"TOKEN", true}, {"SINCE"}, {"DATA"}});
  const auto add = [&table](std::string_view what, const v1::LockPlace& place) {
    table.Add({std::string(what), absl::StrCat(place.session_id()),
               absl::StrCat(place.fencing_token()), TimeText(place.since_ms()),
               Preview(DataOf(place.data()), /*columns_max=*/40)});
  };
  if (!response.has_holder()) {
    Note("the lock is free");
    return absl::OkStatus();
  }
  add("holds", response.holder());
  for (const v1::LockPlace& place : response.waiting()) add("waits", place);
  Print(table.Render(globals.FormatOr(Format::kTable)));
  return absl::OkStatus();
}

template <class Response>
void PrintLeader(const Response& response, Format format) {
  if (format == Format::kJson) {
    Print(Line({{"leader", response.has_leader() ? PlaceJson(response.leader()) : Json()},
                {"revision", response.header().revision()}}) +
          "\n");
  } else if (response.has_leader()) {
    Print(absl::StrCat(response.leader().fencing_token(), "\t", response.leader().session_id(),
                       "\t", response.leader().data(), "\n"));
  } else {
    Print("-\n");
  }
}

absl::Status ShowLeader(const Globals& globals, const QueueOptions& options) {
  Connection connection = globals.Connect();
  v1::LeaderRequest request;
  request.set_name(options.name);
  v1::LeaderResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRead, &v1::ElectionService::Stub::Leader, request, &response));
  PrintLeader(response, globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

absl::Status ObserveLeader(const Globals& globals, const QueueOptions& options) {
  Connection connection = globals.Connect();
  const Format format = globals.FormatOr(Format::kTable);
  return connection.Call(
      CallKind::kStream, [&](const Server& server, grpc::ClientContext* context) {
        v1::ObserveRequest request;
        request.set_name(options.name);
        connection.PrepareRead(request.mutable_header());
        const auto stream = v1::ElectionService::Stub(server.channel).Observe(context, request);
        v1::ObserveResponse response;
        while (stream->Read(&response)) {
          connection.Heard(response.header());
          connection.Alive();
          PrintLeader(response, format);
          FlushOutput();
        }
        return stream->Finish();
      });
}

// --- The command lines ------------------------------------------------------------------------

CLI::App* AddQueue(CommandLine* line, const std::string& name, const std::string& description,
                   const std::shared_ptr<QueueOptions>& options,
                   std::function<absl::Status()> run) {
  CLI::App* command = AddCommand(line, &line->app, name, description, std::move(run));
  command->add_option("NAME", options->name, "The node whose children are the places")->required();
  command->add_option("PROGRAM", options->program, "What to run, and its arguments, after --");
  command->add_option("--data", options->data, "What others see of this one, such as its address");
  AddDuration(command, "--wait", &options->wait, "Give up after so long (default: never)");
  AddDuration(command, "--session-timeout", &options->session_timeout,
              "How soon the place is free after this machine died (default 10s)");
  command->footer(
      "The program gets PANDO_OWNERSHIP_PATH and PANDO_FENCING_TOKEN in its environment: a number"
      "\nhigher than any before, for whatever it guards to refuse latecomers by. Its exit status is"
      "\nthis command's. If the place is lost, it is stopped before another can have it.");
  return command;
}

}  // namespace

void AddLock(CommandLine* line) {
  const auto options = std::make_shared<QueueOptions>();
  CLI::App* command =
      AddQueue(line, "lock", "Run a program while holding a lock", options, [line, options] {
        if (options->show) return ShowLock(line->globals, *options);
        return Hold(line->globals, *options, &v1::LockService::Stub::Lock);
      });
  command->add_flag("--show", options->show, "Only print who holds it, and who waits");
}

void AddElect(CommandLine* line) {
  const auto options = std::make_shared<QueueOptions>();
  CLI::App* command =
      AddQueue(line, "elect", "Run a program once this one is elected, for as long as it leads",
               options, [line, options] {
                 if (options->show) return ShowLeader(line->globals, *options);
                 if (options->observe) return ObserveLeader(line->globals, *options);
                 return Hold(line->globals, *options, &v1::ElectionService::Stub::Campaign);
               });
  command->add_flag("--show", options->show, "Only print who leads: token, session, data");
  command->add_flag("--observe", options->observe, "Print who leads, and every change of it");
}

}  // namespace pando::cli
