#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/command.h"
#include "cli/follow.h"
#include "cli/shell.h"

namespace pando::cli {
namespace {

constexpr size_t kPreviewColumns = 60;
constexpr std::string_view kKindPrefix = "EVENT_KIND_";

struct WatchOptions {
  std::string path;
  bool recursive = false;
  int64_t from = 0;
  std::string exec;
};

std::string KindName(v1::EventKind kind) {
  const std::string name = v1::EventKind_Name(kind);
  return name.empty() ? absl::StrCat(static_cast<int>(kind)) : name.substr(kKindPrefix.size());
}

std::string EventLine(const v1::WatchEvent& event, Format format) {
  const std::string kind = KindName(event.kind());
  const bool deleted = event.kind() == v1::EVENT_KIND_DELETED;
  switch (format) {
    case Format::kRaw:
      return absl::StrCat(event.revision(), "\t", kind, "\t", event.path());
    case Format::kTable: {
      const std::string data = deleted ? "" : Preview(DataOf(event), kPreviewColumns);
      return absl::StrFormat("%-12d %-12s %s%s%s", event.revision(), kind, event.path(),
                             deleted ? "" : "  ", data);
    }
    case Format::kJson:
      break;
  }
  Json json = {{"revision", event.revision()}, {"kind", kind}, {"path", event.path()}};
  if (!deleted) PutData(&json, DataOf(event));
  json["stat"] = StatJson(event.stat());
  return Line(json);
}

v1::WatchRequest RequestOf(const WatchOptions& options) {
  v1::WatchRequest request;
  request.set_start_revision(options.from);
  const auto add = [&](v1::WatchKind kind) {
    v1::WatchTarget& target = *request.add_targets();
    target.set_path(options.path);
    target.set_kind(kind);
    target.set_with_data(true);
  };
  if (options.recursive) {
    add(v1::WATCH_KIND_SUBTREE);
  } else {
    add(v1::WATCH_KIND_NODE);
    add(v1::WATCH_KIND_CHILDREN);
  }
  return request;
}

absl::Status RunFor(const v1::WatchEvent& event, const std::string& command) {
  const absl::StatusOr<int> status =
      RunShell(command, event.data(),
               {{"PANDO_EVENT_REVISION", absl::StrCat(event.revision())},
                {"PANDO_EVENT_KIND", KindName(event.kind())},
                {"PANDO_EVENT_PATH", event.path()}});
  if (!status.ok()) return status.status();
  if (*status != 0) {
    Note(absl::StrCat("--exec ended with status ", *status, " for revision ", event.revision(),
                      " of ", event.path()));
  }
  return absl::OkStatus();
}

absl::Status Watch(const Globals& globals, const WatchOptions& options) {
  Connection connection = globals.Connect();
  const Format format = globals.FormatOr(Format::kTable);
  bool printed = true;
  ChangeFollower follower;
  follower.on_event = [&](const v1::WatchEvent& event) {
    if (!options.exec.empty()) return RunFor(event, options.exec);
    if (!printed) return absl::InternalError("cannot write to the standard output");
    Print(EventLine(event, format) + "\n");
    return absl::OkStatus();
  };
  follower.on_idle = [&] { printed = FlushOutput(); };
  follower.on_resume = [](int64_t revision) {
    Note(absl::StrCat("the connection was lost; going on after revision ", revision));
  };
  return FollowChanges(&connection, RequestOf(options), follower);
}

}  // namespace

void AddWatch(CommandLine* line) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* command =
      AddCommand(line, &line->app, "watch", "Print changes as they happen, until it is stopped",
                 [line, options] { return Watch(line->globals, *options); });
  command->add_option("PATH", options->path, "The node, and its direct children")->required();
  command->add_flag("-r,--recursive", options->recursive, "All below it too");
  command->add_option("--from", options->from, "Start with this revision (default: now)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("REV");
  command
      ->add_option(
          "--exec", options->exec,
          "Run CMD with sh for each change, one at a time, instead of printing it; it gets "
          "PANDO_EVENT_REVISION, PANDO_EVENT_KIND and PANDO_EVENT_PATH in its environment "
          "and the data as standard input")
      ->type_name("CMD");
}

}  // namespace pando::cli
