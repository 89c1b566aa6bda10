#include "cli/ensemble_status.h"

#include <algorithm>
#include <chrono>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace pando::cli {
namespace {

constexpr std::chrono::milliseconds kAnswerMax{1'000};
constexpr std::string_view kRolePrefix = "SERVER_ROLE_";

absl::Status Ask(Connection* connection, v1::StatusResponse* response) {
  return connection->Call(CallKind::kRead, &v1::ClusterService::Stub::Status, v1::StatusRequest(),
                          response);
}

std::string RoleName(v1::ServerRole role) {
  const std::string name = v1::ServerRole_Name(role);
  return name.empty() ? absl::StrCat(static_cast<int>(role)) : name.substr(kRolePrefix.size());
}

const char* YesOrNo(bool yes) { return yes ? "yes" : "no"; }

// Whether `a` is nearer to the truth: a leader of a later term has replaced one of an earlier.
bool KnowsBetter(const v1::StatusResponse& a, const v1::StatusResponse& b) {
  const auto rank = [](const v1::StatusResponse& response) {
    return std::pair(response.leader_id() != 0, response.header().term());
  };
  return rank(a) > rank(b);
}

std::string StatusJson(const EnsembleStatus& status) {
  const v1::StatusResponse& view = status.view;
  Json members = Json::array();
  for (const v1::MemberStatus& member : view.members()) {
    members.push_back({{"id", member.id()},
                       {"role", RoleName(member.role())},
                       {"term", member.term()},
                       {"applied", member.applied_revision()},
                       {"lag", member.lag()},
                       {"disk_bytes", member.disk_bytes()},
                       {"version", member.version()},
                       {"reachable", member.reachable()},
                       {"answers", status.answered.contains(member.id())},
                       {"client", member.addresses().client()}});
  }
  const Json json = {{"cluster_id", ClusterIdText(view.header().cluster_id())},
                     {"leader_id", view.leader_id()},
                     {"members", std::move(members)}};
  return Line(json) + "\n";
}

}  // namespace

absl::StatusOr<EnsembleStatus> AskEnsemble(Connection* connection) {
  v1::StatusResponse first;
  PANDO_RETURN_IF_ERROR(Ask(connection, &first));
  // Each thread writes its own; a list stays where it is.
  std::list<std::optional<v1::StatusResponse>> answers;
  std::vector<std::thread> threads;
  for (const v1::MemberStatus& member : first.members()) {
    const std::string& address = member.addresses().client();
    if (member.id() == first.header().server_id() || address.empty()) continue;
    std::optional<v1::StatusResponse>* const answer = &answers.emplace_back();
    // As the ensemble is asked: with the same credentials, and over TLS or not.
    ConnectionOptions options = connection->options();
    options.endpoints = {address};
    options.timeout = kAnswerMax;
    threads.emplace_back([answer, options = std::move(options)] {
      Connection to_member(options);
      v1::StatusResponse response;
      if (Ask(&to_member, &response).ok()) *answer = std::move(response);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<v1::StatusResponse> others;
  for (std::optional<v1::StatusResponse>& answer : answers) {
    if (answer) others.push_back(*std::move(answer));
  }
  return CombineStatus(first, others);
}

EnsembleStatus CombineStatus(const v1::StatusResponse& first,
                             const std::vector<v1::StatusResponse>& others) {
  EnsembleStatus status;
  std::vector<const v1::StatusResponse*> all = {&first};
  for (const v1::StatusResponse& other : others) all.push_back(&other);
  const v1::StatusResponse* best = all.front();
  for (const v1::StatusResponse* response : all) {
    if (KnowsBetter(*response, *best)) best = response;
  }
  status.view = *best;
  for (const v1::StatusResponse* response : all) {
    const int64_t id = response->header().server_id();
    status.answered.insert(id);
    const auto own = std::find_if(response->members().begin(), response->members().end(),
                                  [&](const v1::MemberStatus& row) { return row.id() == id; });
    auto* const rows = status.view.mutable_members();
    const auto row = std::find_if(rows->begin(), rows->end(),
                                  [&](const v1::MemberStatus& r) { return r.id() == id; });
    if (own == response->members().end() || row == rows->end()) continue;
    const bool reachable = row->reachable();
    *row = *own;
    row->set_reachable(reachable);
  }
  return status;
}

std::string EnsembleStatusText(const EnsembleStatus& status, Format format) {
  if (format == Format::kJson) return StatusJson(status);
  const v1::StatusResponse& view = status.view;
  Table table({{"ID", true},
               {"ROLE"},
               {"TERM", true},
               {"APPLIED", true},
               {"LAG", true},
               {"DISK", true},
               {"VERSION"},
               {"REACHABLE"},
               {"ANSWERS"},
               {"CLIENTS AT"}});
  for (const v1::MemberStatus& member : view.members()) {
    const auto disk_bytes = static_cast<uint64_t>(member.disk_bytes());
    table.Add({absl::StrCat(member.id()), RoleName(member.role()), absl::StrCat(member.term()),
               absl::StrCat(member.applied_revision()), absl::StrCat(member.lag()),
               format == Format::kRaw ? absl::StrCat(disk_bytes) : BytesText(disk_bytes),
               member.version(), YesOrNo(member.reachable()),
               YesOrNo(status.answered.contains(member.id())), member.addresses().client()});
  }
  if (format == Format::kRaw) return table.Render(format);
  const std::string leader = view.leader_id() == 0
                                 ? std::string("no leader")
                                 : absl::StrCat("server ", view.leader_id(), " leads");
  return absl::StrCat("cluster ", ClusterIdText(view.header().cluster_id()), ", ", leader, "\n\n",
                      table.Render(format));
}

}  // namespace pando::cli
