#include "base/status.h"

#include "absl/strings/str_cat.h"
#include "cli/commands/command.h"

namespace pando::cli {
namespace {

constexpr std::string_view kRolePrefix = "SERVER_ROLE_";

std::string RoleName(v1::ServerRole role) {
  const std::string name = v1::ServerRole_Name(role);
  return name.empty() ? absl::StrCat(static_cast<int>(role)) : name.substr(kRolePrefix.size());
}

Json StatusJson(const v1::StatusResponse& response) {
  Json members = Json::array();
  for (const v1::MemberStatus& member : response.members()) {
    members.push_back({{"id", member.id()},
                       {"role", RoleName(member.role())},
                       {"term", member.term()},
                       {"applied", member.applied_revision()},
                       {"lag", member.lag()},
                       {"disk_bytes", member.disk_bytes()},
                       {"version", member.version()},
                       {"reachable", member.reachable()}});
  }
  return {{"cluster_id", ClusterIdText(response.header().cluster_id())},
          {"members", std::move(members)}};
}

std::string StatusText(const v1::StatusResponse& response, Format format) {
  Table table({{"ID", true},
               {"ROLE"},
               {"TERM", true},
               {"APPLIED", true},
               {"LAG", true},
               {"DISK", true},
               {"VERSION"},
               {"REACHABLE"},
               {"CLIENTS AT"}});
  for (const v1::MemberStatus& member : response.members()) {
    const auto disk_bytes = static_cast<uint64_t>(member.disk_bytes());
    table.Add({absl::StrCat(member.id()), RoleName(member.role()), absl::StrCat(member.term()),
               absl::StrCat(member.applied_revision()), absl::StrCat(member.lag()),
               format == Format::kRaw ? absl::StrCat(disk_bytes) : BytesText(disk_bytes),
               member.version(), member.reachable() ? "yes" : "no", member.addresses().client()});
  }
  if (format == Format::kRaw) return table.Render(format);
  return absl::StrCat("cluster ", ClusterIdText(response.header().cluster_id()), "\n\n",
                      table.Render(format));
}

absl::Status Status(const Globals& globals) {
  Connection connection = globals.Connect();
  v1::StatusResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRead, [&](const Server& server, grpc::ClientContext* context) {
        return server.cluster->Status(context, v1::StatusRequest(), &response);
      }));
  const Format format = globals.FormatOr(Format::kTable);
  Print(format == Format::kJson ? Line(StatusJson(response)) + "\n" : StatusText(response, format));
  if (response.leader_id() != 0) return absl::OkStatus();
  return absl::FailedPreconditionError("the ensemble has no leader: a majority must be up");
}

}  // namespace

void AddStatus(CommandLine* line) {
  AddCommand(line, &line->app, "status",
             "Show the members of the ensemble; exit status 0 if it has a leader",
             [line] { return Status(line->globals); });
}

}  // namespace pando::cli
