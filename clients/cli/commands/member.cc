// The members of the ensemble. Each change may be sent again: what is as asked for is success.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "cli/commands/command.h"
#include "cli/server_error.h"

namespace pando::cli {
namespace {

using Stub = v1::ClusterService::Stub;
using Members = google::protobuf::RepeatedPtrField<v1::Member>;

constexpr std::string_view kRolePrefix = "MEMBER_ROLE_";
// Of a server; pandod's own bound.
constexpr int64_t kIdMax = 65'535;

std::string RoleName(v1::MemberRole role) {
  const std::string name = v1::MemberRole_Name(role);
  return name.empty() ? absl::StrCat(static_cast<int>(role)) : name.substr(kRolePrefix.size());
}

// 0: a server that has not connected yet.
std::string StorageText(uint64_t storage) { return storage == 0 ? "-" : ClusterIdText(storage); }

void PrintMembers(const Members& members, Format format) {
  Json json = Json::array();
  Table table({{"ID", true}, {"ROLE"}, {"STORAGE"}, {"CLIENTS AT"}, {"PEERS AT"}, {"HTTP AT"}});
  for (const v1::Member& member : members) {
    const v1::ServerAddresses& addresses = member.addresses();
    json.push_back({{"id", member.id()},
                    {"role", RoleName(member.role())},
                    {"storage_id", StorageText(member.storage_id())},
                    {"client", addresses.client()},
                    {"peer", addresses.peer()},
                    {"http", addresses.http()},
                    {"zookeeper", addresses.zookeeper()},
                    {"machine_version_min", member.machine_version_min()},
                    {"machine_version_max", member.machine_version_max()}});
    table.Add({absl::StrCat(member.id()), RoleName(member.role()), StorageText(member.storage_id()),
               addresses.client(), addresses.peer(), addresses.http()});
  }
  Print(format == Format::kJson ? Line(json) + "\n" : table.Render(format));
}

absl::Status ListMembers(Connection* connection, const Globals& globals) {
  v1::ListMembersResponse response;
  PANDO_RETURN_IF_ERROR(
      connection->Call(CallKind::kRead, &Stub::ListMembers, v1::ListMembersRequest(), &response));
  PrintMembers(response.members(), globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

// How to start the server that was added: it asks those that are there already.
std::string HowToStart(int64_t id, const Members& members) {
  std::vector<std::string> peers;
  for (const v1::Member& member : members) {
    if (member.id() != id) peers.push_back(member.addresses().peer());
  }
  return absl::StrCat("start it with `pandod --id ", id, " --join ", absl::StrJoin(peers, ","),
                      "`, and then: pando member promote ", id);
}

absl::Status MemberAdd(const Globals& globals, int64_t id, const std::string& peer) {
  Connection connection = globals.Connect();
  v1::AddMemberRequest request;
  request.set_id(id);
  request.mutable_addresses()->set_peer(peer);
  v1::AddMemberResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRepeatableWrite, &Stub::AddMember, request, &response));
  const Format format = globals.FormatOr(Format::kTable);
  PrintMembers(response.members(), format);
  if (format == Format::kTable) Note(HowToStart(id, response.members()));
  return absl::OkStatus();
}

absl::Status MemberPromote(const Globals& globals, int64_t id) {
  Connection connection = globals.Connect();
  v1::PromoteMemberRequest request;
  request.set_id(id);
  v1::PromoteMemberResponse response;
  PANDO_RETURN_IF_ERROR(
      connection.Call(CallKind::kRepeatableWrite, &Stub::PromoteMember, request, &response));
  PrintMembers(response.members(), globals.FormatOr(Format::kTable));
  return absl::OkStatus();
}

absl::Status MemberRm(const Globals& globals, int64_t id) {
  Connection connection = globals.Connect();
  v1::RemoveMemberRequest request;
  request.set_id(id);
  v1::RemoveMemberResponse response;
  bool lost = false;  // an answer
  const absl::Status removed = connection.Call(
      CallKind::kRepeatableWrite, [&](const Server& server, grpc::ClientContext* context) {
        connection.Prepare(request.mutable_header());
        const grpc::Status status = server.cluster->RemoveMember(context, request, &response);
        if (status.ok()) return status;
        const ServerError error = ErrorOf(status);
        // That is what was wanted.
        if (lost && error.reason == "NO_NODE") return grpc::Status::OK;
        lost = lost || Judge(error) == Verdict::kLost;
        return status;
      });
  if (!removed.ok()) return removed;
  return ListMembers(&connection, globals);
}

void AddId(CLI::App* command, int64_t* id) {
  command->add_option("ID", *id, "The server")->required()->check(CLI::Range(int64_t{1}, kIdMax));
}

}  // namespace

void AddMember(CommandLine* line) {
  CLI::App* member = line->app.add_subcommand("member", "Members of the ensemble");
  member->require_subcommand(1);
  AddCommand(line, member, "ls", "List them, by id", [line] {
    Connection connection = line->globals.Connect();
    return ListMembers(&connection, line->globals);
  });

  const auto id = std::make_shared<int64_t>(0);
  const auto peer = std::make_shared<std::string>();
  CLI::App* add = AddCommand(line, member, "add",
                             "Let a server in as learner: it gets all data, and does not vote",
                             [line, id, peer] { return MemberAdd(line->globals, *id, *peer); });
  AddId(add, id.get());
  add->add_option("PEER", *peer, "HOST:PORT where the other servers reach it")
      ->required()
      ->check(CheckEndpoint, "");
  AddId(AddCommand(line, member, "promote",
                   "Make a learner a voter; waits, at most --timeout, until it has caught up",
                   [line, id] { return MemberPromote(line->globals, *id); }),
        id.get());
  AddId(AddCommand(line, member, "rm", "Remove a member for good; a leader hands over first",
                   [line, id] { return MemberRm(line->globals, *id); }),
        id.get());
}

}  // namespace pando::cli
