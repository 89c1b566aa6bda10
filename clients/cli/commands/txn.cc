#include "cli/txn.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/files.h"
#include "model/limits.h"

namespace pando::cli {
namespace {

constexpr size_t kPreviewColumns = 60;

std::string PathOf(const v1::TransactOperation& operation) {
  switch (operation.operation_case()) {
    case v1::TransactOperation::kCreate:
      return operation.create().path();
    case v1::TransactOperation::kSet:
      return operation.set().path();
    case v1::TransactOperation::kDelete:
      return operation.delete_().path();
    case v1::TransactOperation::kCheck:
      return operation.check().path();
    case v1::TransactOperation::kGet:
      return operation.get().path();
    default:
      return "";
  }
}

// The outcome as JSON: the operation, the path, and what it gave back.
Json OutcomeJson(const v1::TransactOperation& operation, const v1::TransactResult& result) {
  Json json;
  switch (result.result_case()) {
    case v1::TransactResult::kCreate:
      json = {{"operation", "create"},
              {"path", result.create().path()},
              {"stat", StatJson(result.create().stat())}};
      break;
    case v1::TransactResult::kSet:
      json = {{"operation", "set"},
              {"path", PathOf(operation)},
              {"stat", StatJson(result.set().stat())}};
      break;
    case v1::TransactResult::kDelete:
      json = {{"operation", "rm"},
              {"path", PathOf(operation)},
              {"removed_count", result.delete_().removed_count()}};
      break;
    case v1::TransactResult::kGet:
      json = {{"operation", "get"}, {"path", PathOf(operation)}};
      PutData(&json, DataOf(result.get()));
      json["stat"] = StatJson(result.get().stat());
      break;
    default:
      json = {{"operation", "check"}, {"path", PathOf(operation)}};
  }
  return json;
}

// The same for a person.
std::string OutcomeCell(const v1::TransactResult& result) {
  switch (result.result_case()) {
    case v1::TransactResult::kCreate:
      return "created";
    case v1::TransactResult::kSet:
      return absl::StrCat("version ", result.set().stat().version());
    case v1::TransactResult::kDelete:
      return absl::StrCat("removed ", result.delete_().removed_count());
    case v1::TransactResult::kGet:
      return Preview(DataOf(result.get()), kPreviewColumns);
    default:
      return "holds";
  }
}

absl::StatusOr<v1::TransactRequest> ReadTransaction(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadInput(file, model::kCommandBytesMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<v1::TransactRequest> request = ParseTransaction(*text);
  if (!request.ok()) return base::Annotate(request.status(), file);
  return request;
}

absl::Status Txn(const Globals& globals, const std::string& file) {
  const absl::StatusOr<v1::TransactRequest> request = ReadTransaction(file);
  if (!request.ok()) return request.status();
  Connection connection = globals.Connect();
  v1::TransactResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kWrite, &v1::TreeService::Stub::Transact, *request, &response));

  const auto& operations =
      response.compared_true() ? request->then_operations() : request->else_operations();
  if (operations.size() != response.results_size()) {
    return absl::InternalError("the server did not answer each operation");
  }
  const Format format = globals.FormatOr(Format::kTable);
  Json results = Json::array();
  Table table({{"OPERATION"}, {"PATH"}, {"RESULT"}});
  for (int i = 0; i < operations.size(); ++i) {
    Json json = OutcomeJson(operations[i], response.results(i));
    table.Add({json["operation"], json["path"], OutcomeCell(response.results(i))});
    results.push_back(std::move(json));
  }
  if (format == Format::kJson) {
    Print(Line({{"compared_true", response.compared_true()},
                {"revision", response.header().revision()},
                {"results", std::move(results)}}) +
          "\n");
    return absl::OkStatus();
  }
  if (format == Format::kTable) {
    Print(absl::StrCat("ran ", response.compared_true() ? "then" : "else", "\n"));
  }
  if (!table.empty()) Print(table.Render(format));
  return absl::OkStatus();
}

}  // namespace

void AddTxn(CommandLine* line) {
  const auto file = std::make_shared<std::string>();
  CLI::App* command = AddCommand(line, &line->app, "txn", "Run a transaction: all of it or nothing",
                                 [line, file] { return Txn(line->globals, *file); });
  command->add_option("FILE", *file, "Where it is written; - takes the standard input")->required();
  command->footer(kTransactionFormat);
}

}  // namespace pando::cli
