#include "api/translate_cluster.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "api/translate.h"
#include "model/limits.h"

namespace pando::api {
namespace {

using model::Error;

int64_t Number(auto id) { return static_cast<int64_t>(id.value()); }

// --- Requests ---------------------------------------------------------------------------------

Error Parse(int64_t in, model::ServerId* out) {
  if (in <= 0) return InvalidArgument("id has to be the number of a server: 1, 2, 3, …");
  *out = model::ServerId(static_cast<uint64_t>(in));
  return {};
}

// HOST:PORT. Whether the host is a name that leads anywhere is seen when it is connected to.
bool IsAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  if (text.size() > model::kAddressBytesMax) return false;
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return problem == std::errc() && stop == digits.data() + digits.size() && port > 0;
}

Error CheckAddress(const char* field, const std::string& address) {
  if (IsAddress(address)) return {};
  return InvalidArgument(absl::StrCat("addresses.", field, " is not HOST:PORT"));
}

// --- Responses --------------------------------------------------------------------------------

template <class Of>  // model::Member or model::EnsembleStatus::Member
void WriteAddresses(const Of& in, v1::ServerAddresses* out) {
  out->set_client(in.client_address);
  out->set_peer(in.peer_address);
  out->set_http(in.http_address);
  out->set_zookeeper(in.zookeeper_address);
}

template <class Response>
void WriteMembers(const model::Reply& in, Response* out) {
  using Role = model::Member::Role;
  static_assert(static_cast<int>(Role::kVoter) == v1::MEMBER_ROLE_VOTER);
  static_assert(static_cast<int>(Role::kLearner) == v1::MEMBER_ROLE_LEARNER);
  for (const model::Member& member : ResultOf<model::Membership>(in).members) {
    v1::Member* row = out->add_members();
    row->set_id(Number(member.id));
    row->set_storage_id(member.storage.value());
    row->set_role(static_cast<v1::MemberRole>(member.role));
    WriteAddresses(member, row->mutable_addresses());
    row->set_machine_version_min(static_cast<int32_t>(member.version_min));
    row->set_machine_version_max(static_cast<int32_t>(member.version_max));
  }
}

}  // namespace

model::Error FromProto(const v1::AddMemberRequest& in, io::AdminOrder* out) {
  model::Member member;
  PANDO_RETURN_IF_REFUSED(Parse(in.id(), &member.id));
  const v1::ServerAddresses& addresses = in.addresses();
  PANDO_RETURN_IF_REFUSED(CheckAddress("peer", addresses.peer()));
  for (const auto& [field, address] :
       {std::pair("client", &addresses.client()), std::pair("http", &addresses.http()),
        std::pair("zookeeper", &addresses.zookeeper())}) {
    if (!address->empty()) PANDO_RETURN_IF_REFUSED(CheckAddress(field, *address));
  }
  member.storage = model::StorageId(in.storage_id());
  member.role = model::Member::Role::kLearner;
  member.peer_address = addresses.peer();
  member.client_address = addresses.client();
  member.http_address = addresses.http();
  member.zookeeper_address = addresses.zookeeper();
  *out = io::AddMember{std::move(member)};
  return {};
}

model::Error FromProto(const v1::PromoteMemberRequest& in, io::AdminOrder* out) {
  model::ServerId id;
  const Error error = Parse(in.id(), &id);
  *out = io::PromoteMember{id};
  return error;
}

model::Error FromProto(const v1::RemoveMemberRequest& in, io::AdminOrder* out) {
  model::ServerId id;
  const Error error = Parse(in.id(), &id);
  *out = io::RemoveMember{id};
  return error;
}

model::Error FromProto(const v1::TransferLeadershipRequest& in, io::AdminOrder* out) {
  model::ServerId to;  // none: whoever is the furthest
  if (in.id() != 0) PANDO_RETURN_IF_REFUSED(Parse(in.id(), &to));
  *out = io::TransferLeadership{to};
  return {};
}

void ToProto(const model::Reply& in, v1::StatusResponse* out) {
  using Role = model::EnsembleStatus::Role;
  static_assert(static_cast<int>(Role::kLeader) == v1::SERVER_ROLE_LEADER);
  static_assert(static_cast<int>(Role::kFollower) == v1::SERVER_ROLE_FOLLOWER);
  static_assert(static_cast<int>(Role::kLearner) == v1::SERVER_ROLE_LEARNER);
  static_assert(static_cast<int>(Role::kCandidate) == v1::SERVER_ROLE_CANDIDATE);
  const auto& status = ResultOf<model::EnsembleStatus>(in);
  out->set_leader_id(Number(status.leader));
  for (const model::EnsembleStatus::Member& member : status.members) {
    v1::MemberStatus* row = out->add_members();
    row->set_id(Number(member.id));
    row->set_role(static_cast<v1::ServerRole>(member.role));
    row->set_term(Number(member.term));
    row->set_applied_revision(Number(member.applied));
    row->set_lag(static_cast<int64_t>(member.lag));
    row->set_disk_bytes(static_cast<int64_t>(member.disk_bytes));
    row->set_version(member.version);
    row->set_reachable(member.reachable);
    WriteAddresses(member, row->mutable_addresses());
  }
}

void ToProto(const model::Reply& in, v1::ListMembersResponse* out) { WriteMembers(in, out); }
void ToProto(const model::Reply& in, v1::AddMemberResponse* out) { WriteMembers(in, out); }
void ToProto(const model::Reply& in, v1::PromoteMemberResponse* out) { WriteMembers(in, out); }
void ToProto(const model::Reply& in, v1::RemoveMemberResponse* out) { WriteMembers(in, out); }

void ToProto(const model::Reply& in, v1::TransferLeadershipResponse* out) {
  out->set_leader_id(Number(ResultOf<model::EnsembleStatus>(in).leader));
}

void ToProto(const model::Reply& in, v1::DigestResponse* out) {
  const auto& digest = ResultOf<model::DigestResult>(in);
  out->set_revision(Number(digest.revision));
  out->set_digest(digest.digest);
}

}  // namespace pando::api
