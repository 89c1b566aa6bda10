#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

absl::Status Transfer(const Globals& globals, int64_t id) {
  Connection connection = globals.Connect();
  v1::TransferLeadershipRequest request;
  request.set_id(id);
  v1::TransferLeadershipResponse response;
  PANDO_RETURN_IF_ERROR(connection.Call(CallKind::kRepeatableWrite,
                                        &v1::ClusterService::Stub::TransferLeadership, request,
                                        &response));
  switch (globals.FormatOr(Format::kTable)) {
    case Format::kTable:
      Print(absl::StrCat("server ", response.leader_id(), " leads\n"));
      break;
    case Format::kRaw:
      Print(absl::StrCat(response.leader_id(), "\n"));
      break;
    case Format::kJson:
      Print(Line({{"leader_id", response.leader_id()}}) + "\n");
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void AddLeader(CommandLine* line) {
  CLI::App* leader = line->app.add_subcommand("leader", "Who leads the ensemble");
  leader->require_subcommand(1);
  const auto id = std::make_shared<int64_t>(0);
  AddCommand(line, leader, "transfer", "Hand the leadership over; writes wait while it lasts",
             [line, id] { return Transfer(line->globals, *id); })
      ->add_option("ID", *id, "The voter to lead (default: whichever is the furthest)")
      ->check(CLI::PositiveNumber);
}

}  // namespace pando::cli
