#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

absl::StatusOr<v1::GetResponse> Read(const Globals& globals, const std::string& path,
                                     bool without_data) {
  Connection connection = globals.Connect();
  v1::GetRequest request;
  request.set_path(path);
  request.set_without_data(without_data);
  v1::GetResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRead, &v1::TreeService::Stub::Get, request, &response));
  return response;
}

Table StatTable(const std::string& path, const v1::Stat& stat, Format format) {
  Table table({{"FIELD"}, {"VALUE"}});
  table.Add({"path", path});
  // The fields are named once, in StatJson.
  const Json fields = StatJson(stat);
  for (const auto& [field, value] : fields.items()) {
    const bool is_time = field == "ctime_ms" || field == "mtime_ms";
    const std::string number = value.dump();
    table.Add({field, is_time && format == Format::kTable
                          ? absl::StrCat(number, "  ", TimeText(value.get<int64_t>()))
                          : number});
  }
  return table;
}

void PrintRaw(const v1::GetResponse& response) {
  Print(response.data());
  const bool ended = response.data().empty() || response.data().back() == '\n';
  if (!ended && ::isatty(STDOUT_FILENO) != 0) Print("\n");
}

absl::Status Get(const Globals& globals, const std::string& path) {
  const auto response = Read(globals, path, /*without_data=*/false);
  if (!response.ok()) return response.status();
  switch (globals.FormatOr(Format::kRaw)) {
    case Format::kRaw:
      PrintRaw(*response);
      break;
    case Format::kTable: {
      constexpr size_t kColumns = 1'000;
      Table table = StatTable(path, response->stat(), Format::kTable);
      table.Add({"data", Preview(DataOf(*response), kColumns)});
      Print(table.Render(Format::kTable));
      break;
    }
    case Format::kJson: {
      Json json = {{"path", path}};
      PutData(&json, DataOf(*response));
      json["stat"] = StatJson(response->stat());
      Print(Line(json) + "\n");
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status Stat(const Globals& globals, const std::string& path) {
  const auto response = Read(globals, path, /*without_data=*/true);
  if (!response.ok()) return response.status();
  const Format format = globals.FormatOr(Format::kTable);
  if (format == Format::kJson) {
    Print(Line({{"path", path}, {"stat", StatJson(response->stat())}}) + "\n");
  } else {
    Print(StatTable(path, response->stat(), format).Render(format));
  }
  return absl::OkStatus();
}

}  // namespace

void AddGet(CommandLine* line) {
  const auto path = std::make_shared<std::string>();
  AddCommand(line, &line->app, "get",
             "Print a node's data: its bytes, and a newline only on a terminal",
             [line, path] { return Get(line->globals, *path); })
      ->add_option("PATH", *path, "The node")
      ->required();
}

void AddStat(CommandLine* line) {
  const auto path = std::make_shared<std::string>();
  AddCommand(line, &line->app, "stat", "Print what is known of a node besides its data",
             [line, path] { return Stat(line->globals, *path); })
      ->add_option("PATH", *path, "The node")
      ->required();
}

}  // namespace pando::cli
