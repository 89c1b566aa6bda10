#include "zookeeper/reconfiguration.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acl/permission.h"
#include "base/check.h"
#include "base/host_port.h"
#include "model/zookeeper.h"
#include "zookeeper/errors.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using model::Member;
using model::ServerId;

// Whether clients find `member` where the list says. A member that has not spoken yet says nothing.
bool IsForClientsAt(const Member& member, const ListedServer& listed) {
  if (member.zookeeper_address.empty()) return true;
  const base::HostPort at = base::SplitHostPort(member.zookeeper_address);
  if (at.port != listed.client_port) return false;
  return listed.client_host.empty() ||
         member.zookeeper_address == absl::StrCat(listed.client_host, ":", listed.client_port);
}

Member NewLearner(const ListedServer& listed) {
  Member member;
  member.id = listed.id;
  member.role = Member::Role::kLearner;
  member.peer_address = listed.peer_address;
  const std::string host = listed.client_host.empty() ? "0.0.0.0" : listed.client_host;
  member.zookeeper_address = absl::StrCat(host, ":", listed.client_port);
  return member;
}

bool IsReachable(const model::EnsembleStatus& status, ServerId id) {
  return std::any_of(status.members.begin(), status.members.end(),
                     [&](const auto& row) { return row.id == id && row.reachable; });
}

// Who is to leave, in the order in which they go.
std::vector<ServerId> Leaving(const WantedServers& wanted, const model::Membership& now,
                              ServerId leader, ServerId self) {
  std::vector<ServerId> leaving;
  for (const Member& member : now.members) {
    const bool named = wanted.whole || std::find(wanted.leaving.begin(), wanted.leaving.end(),
                                                 member.id) != wanted.leaving.end();
    const bool stays =
        std::any_of(wanted.joining.begin(), wanted.joining.end(),
                    [&](const ListedServer& listed) { return listed.id == member.id; });
    if (named && !stays) leaving.push_back(member.id);
  }
  const auto last = [&](ServerId id) { return id == self ? 2 : id == leader ? 1 : 0; };
  std::stable_sort(leaving.begin(), leaving.end(),
                   [&](ServerId a, ServerId b) { return last(a) < last(b); });
  return leaving;
}

// What becomes of one that is listed: a change of `*next`, and the order for it, or nothing.
ErrorCode PlanOne(const ListedServer& listed, const model::EnsembleStatus& status,
                  model::Membership* next, std::vector<io::AdminOrder>* adds,
                  std::vector<io::AdminOrder>* promotes) {
  Member* member = next->Find(listed.id);
  if (member == nullptr) {
    // Nobody votes who has not shown what it has on disk.
    if (listed.votes) return ErrorCode::kNewConfigNoQuorum;
    adds->emplace_back(io::AddMember{NewLearner(listed)});
    next->members.push_back(NewLearner(listed));
    return ErrorCode::kOk;
  }
  const bool moves =
      member->peer_address != listed.peer_address || !IsForClientsAt(*member, listed);
  const bool voted = member->role == Member::Role::kVoter;
  if (moves || (voted && !listed.votes)) return ErrorCode::kUnimplemented;
  if (voted || !listed.votes) return ErrorCode::kOk;
  if (!IsReachable(status, listed.id)) return ErrorCode::kNewConfigNoQuorum;
  promotes->emplace_back(io::PromoteMember{listed.id});
  member->role = Member::Role::kVoter;
  return ErrorCode::kOk;
}

bool SharesAnAddress(const model::Membership& members) {
  std::set<std::string> addresses;
  for (const Member& member : members.members) {
    if (!addresses.insert(member.peer_address).second) return true;
  }
  return false;
}

bool HasQuorum(const model::Membership& members, const model::EnsembleStatus& status) {
  size_t voters = 0;
  size_t reachable = 0;
  for (const Member& member : members.members) {
    if (member.role != Member::Role::kVoter) continue;
    ++voters;
    reachable += IsReachable(status, member.id);
  }
  return reachable > voters / 2;
}

bool HasVoters(const model::Membership& members) {
  return std::any_of(members.members.begin(), members.members.end(),
                     [](const Member& member) { return member.role == Member::Role::kVoter; });
}

}  // namespace

ErrorCode PlanChanges(const WantedServers& wanted, const model::Membership& now,
                      const model::EnsembleStatus& status, ServerId self,
                      std::vector<io::AdminOrder>* orders) {
  model::Membership next = now;
  const std::vector<ServerId> leaving = Leaving(wanted, now, status.leader, self);
  std::erase_if(next.members, [&](const Member& member) {
    return std::find(leaving.begin(), leaving.end(), member.id) != leaving.end();
  });
  std::vector<io::AdminOrder> promotes;
  ErrorCode not_yet = ErrorCode::kOk;
  for (const ListedServer& listed : wanted.joining) {
    const ErrorCode error = PlanOne(listed, status, &next, orders, &promotes);
    if (error == ErrorCode::kNewConfigNoQuorum) {
      not_yet = error;  // it is told after what cannot be at all
    } else if (error != ErrorCode::kOk) {
      return error;
    }
  }
  if (SharesAnAddress(next)) return ErrorCode::kBadArguments;
  if (not_yet != ErrorCode::kOk) return not_yet;
  if (!HasVoters(next)) return ErrorCode::kBadArguments;
  if (!HasQuorum(next, status)) return ErrorCode::kNewConfigNoQuorum;
  orders->insert(orders->end(), promotes.begin(), promotes.end());
  for (const ServerId id : leaving) orders->emplace_back(io::RemoveMember{id});
  return ErrorCode::kOk;
}

Reconfiguration::Reconfiguration(jute::Reconfig request, std::vector<model::Identity> identities,
                                 ServerId self)
    : request_(std::move(request)), identities_(std::move(identities)), self_(self) {}

std::optional<Reconfiguration::Question> Reconfiguration::Next() const {
  const auto query = [](model::QueryBody body) {
    return model::Query{.identities = {acl::kSuper}, .session = {}, .body = std::move(body)};
  };
  switch (step_) {
    case Step::kConfig:
    case Step::kResult:
      return query(model::Get{model::kConfigPath});
    case Step::kAcl:
      return query(model::GetAcl{model::kConfigPath});
    case Step::kMembers:
      return io::GetMembers{};
    case Step::kStatus:
      return io::GetStatus{};
    case Step::kOrders: {
      // What its own changes do to the configuration does not stand against the next of them.
      const bool first = done_ == 0 && request_.config_id != -1;
      return io::Administer{orders_[done_], first ? config_ : model::Revision()};
    }
    case Step::kEnded:
      break;
  }
  return std::nullopt;
}

void Reconfiguration::Take(const model::Reply& reply) {
  if (!reply.ok()) {
    // A learner that has not caught up yet is no part of a quorum.
    const bool behind = step_ == Step::kOrders && reply.error.reason == model::Reason::kBehind;
    return End(behind ? ErrorCode::kNewConfigNoQuorum : CodeOf(reply.error.reason));
  }
  switch (step_) {
    case Step::kConfig: {
      config_ = std::get<model::OperationResult>(reply.result).stat.modify_revision;
      const int64_t wanted = request_.config_id;
      const bool same = wanted == -1 || wanted == static_cast<int64_t>(config_.value());
      if (!same) return End(ErrorCode::kBadVersion);
      step_ = Step::kAcl;
      return;
    }
    case Step::kAcl:
      acl_ = std::get<model::AclResult>(reply.result).acl;
      step_ = Step::kMembers;
      return;
    case Step::kMembers:
      members_ = std::get<model::Membership>(reply.result);
      step_ = Step::kStatus;
      return;
    case Step::kStatus:
      return Check(std::get<model::EnsembleStatus>(reply.result));
    case Step::kOrders:
      if (++done_ == orders_.size()) step_ = Step::kResult;
      return;
    case Step::kResult:
      return End(ErrorCode::kOk);
    case Step::kEnded:
      break;
  }
  base::Fatal("a reconfig that has ended was answered");
}

// In ZooKeeper's order: whether the client may do it is looked at last.
void Reconfiguration::Check(const model::EnsembleStatus& status) {
  WantedServers wanted;
  ErrorCode error = ParseWanted(request_, &wanted);
  if (error == ErrorCode::kOk) error = PlanChanges(wanted, members_, status, self_, &orders_);
  if (error == ErrorCode::kOk && !acl::Allows(acl_, model::kWrite, identities_)) {
    error = ErrorCode::kNoAuth;
  }
  if (error != ErrorCode::kOk) return End(error);
  step_ = orders_.empty() ? Step::kResult : Step::kOrders;
}

void Reconfiguration::End(ErrorCode error) {
  step_ = Step::kEnded;
  error_ = error;
}

}  // namespace pando::zookeeper
