#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

absl::StatusOr<std::vector<v1::Session>> ListSessions(Connection* connection) {
  std::vector<v1::Session> sessions;
  v1::SessionServiceListRequest request;
  do {
    v1::SessionServiceListResponse response;
    PANDO_RETURN_IF_ERROR(
        connection->Call(CallKind::kRead, &v1::SessionService::Stub::List, request, &response));
    sessions.insert(sessions.end(), response.sessions().begin(), response.sessions().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return sessions;
}

absl::Status SessionLs(const Globals& globals) {
  Connection connection = globals.Connect();
  const auto sessions = ListSessions(&connection);
  if (!sessions.ok()) return sessions.status();
  const Format format = globals.FormatOr(Format::kTable);
  Json json = Json::array();
  Table table({{"SESSION", true},
               {"TIMEOUT MS", true},
               {"EPHEMERALS", true},
               {"KEPT REPLIES", true},
               {"ATTACHED AT", true}});
  for (const v1::Session& session : *sessions) {
    json.push_back({{"session_id", session.session_id()},
                    {"timeout_ms", session.timeout_ms()},
                    {"ephemerals_count", session.ephemerals_count()},
                    {"kept_replies_count", session.kept_replies_count()},
                    {"attach_revision", session.attach_revision()}});
    table.Add({absl::StrCat(session.session_id()), absl::StrCat(session.timeout_ms()),
               absl::StrCat(session.ephemerals_count()), absl::StrCat(session.kept_replies_count()),
               absl::StrCat(session.attach_revision())});
  }
  Print(format == Format::kJson ? Line(json) + "\n" : table.Render(format));
  return absl::OkStatus();
}

}  // namespace

void AddSession(CommandLine* line) {
  CLI::App* session = line->app.add_subcommand("session", "Sessions of the ensemble");
  session->require_subcommand(1);
  AddCommand(line, session, "ls", "List them, by id", [line] { return SessionLs(line->globals); });
}

}  // namespace pando::cli
