// Members and leaders by request. Whoever is asked passes the order to the leader, and again on a
// new channel and to the next leader: orders can be repeated, because what is as they ask is
// success. A hand-over to anybody is asked in one term alone: by the next it is done.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/membership.h"
#include "model/limits.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

using model::Error;
using model::Reason;

constexpr base::Duration kTendInterval = std::chrono::seconds(1);
constexpr base::Duration kOrderPatience = std::chrono::seconds(10);
// A learner that is this close to the end of the log is caught up.
constexpr uint64_t kCaughtUpRevisions = 1'000;

Error NoSuchMember(model::ServerId id) {
  return {.reason = Reason::kNoNode, .detail = absl::StrCat("there is no member ", id.value())};
}

// What a member says of itself, as far as the membership holds that.
model::Member Described(const model::Member& row, const io::PeerHello& hello) {
  model::Member described = hello.self;
  described.id = row.id;
  described.role = row.role;
  described.storage = hello.storage;
  return described;
}

}  // namespace

// --- Where it is asked ------------------------------------------------------------------------

void Replica::OnAdminister(io::Administer request, base::Instant deadline, Responder responder) {
  const uint64_t id = ++last_administration_;
  Administration& administration = administrations_[id];
  administration = {.request = std::move(request),
                    .responder = std::move(responder),
                    .until = std::min(deadline, now_ + kOrderPatience),
                    .term = raft_.term()};
  if (const auto* remove = std::get_if<io::RemoveMember>(&administration.request.order)) {
    administration.was_there = machine_->membership().Find(remove->id) != nullptr;
  }
  SendOrder(id, administration);
}

// Nowhere while nobody leads: it is sent once somebody does.
void Replica::SendOrder(uint64_t id, const Administration& administration) {
  const auto& [order, config] = administration.request;
  if (IsLeader()) {
    Obey({.from = {}, .id = id, .config = config}, order);
  } else if (Follows()) {
    Mail(raft_.leader(), io::AdminRequest{id, order, config});
  }
}

void Replica::On(const io::PeerHello& from, io::AdminReply& reply) {
  if (from.id == raft_.leader()) Reply({.from = {}, .id = reply.id}, reply.error, reply.revision);
}

void Replica::OnLeaderChangeForAdministration() {
  early_orders_.clear();
  verdicts_.clear();
  ordered_transfers_.clear();
  SendOrdersAgain();
}

void Replica::SendOrdersAgain() {
  if (!raft_.leader()) return;
  std::vector<uint64_t> again;
  for (auto& [id, administration] : administrations_) {
    if (administration.answer_at) continue;
    if (IsHandedOver(administration)) {
      administration.answer_at = model::Revision(1);
    } else {
      again.push_back(id);
    }
  }
  for (const uint64_t id : again) SendOrder(id, administrations_.at(id));
}

// Whoever leads in the term that it was asked in may not have heard of it yet.
bool Replica::IsHandedOver(const Administration& administration) const {
  const auto* transfer = std::get_if<io::TransferLeadership>(&administration.request.order);
  return transfer != nullptr && raft_.term() > administration.term &&
         (!transfer->to || transfer->to == raft_.leader());
}

void Replica::AnswerAdministrations() {
  for (auto at = administrations_.begin(); at != administrations_.end();) {
    Administration& administration = at->second;
    const bool done = administration.answer_at && administration.answer_at <= machine_->applied();
    if (!done && now_ < administration.until) {
      ++at;
      continue;
    }
    if (!done) {
      Refuse(administration.responder,
             {.reason = raft_.leader() ? Reason::kTimeout : Reason::kNoLeader,
              .detail = "not done within the deadline",
              .maybe_applied = true});
    } else if (std::holds_alternative<io::TransferLeadership>(administration.request.order)) {
      Answer(administration.responder, {}, Status());
    } else {
      Answer(administration.responder, {},
             {.revision = machine_->applied(), .result = machine_->membership()});
    }
    at = administrations_.erase(at);
  }
}

// --- Where it is done -------------------------------------------------------------------------

void Replica::On(const io::PeerHello& from, io::AdminRequest& request) {
  if (!IsLeader() || !IsMember(from)) return;
  Obey({.from = from.id, .id = request.id, .config = request.config}, request.order);
}

void Replica::Obey(Ordered ordered, const io::AdminOrder& order) {
  const bool changes = !std::holds_alternative<io::TransferLeadership>(order);
  if (changes && !Settled()) {
    early_orders_.emplace_back(ordered, order);
    return;
  }
  std::visit([&](const auto& o) { Obey(ordered, o); }, order);
}

void Replica::ObeyEarlyOrders() {
  if (early_orders_.empty() || !Settled()) return;
  for (const auto& [ordered, order] : std::exchange(early_orders_, {})) Obey(ordered, order);
}

void Replica::Obey(Ordered ordered, const io::AddMember& add) {
  model::Membership next = raft_.membership();
  const model::Member* known = next.Find(add.member.id);
  if (known != nullptr) {
    const bool same = known->peer_address == add.member.peer_address &&
                      (!add.member.storage || known->storage == add.member.storage);
    Error error;
    if (!same) {
      error = {
          .reason = Reason::kNodeExists,
          .detail = absl::StrCat("member ", known->id.value(), " is at ", known->peer_address)};
    }
    return ReplyOnceApplied(ordered, std::move(error));
  }
  if (retired_.Has(add.member.storage)) {
    Reply(ordered,
          {.reason = Reason::kInvalidArgument,
           .detail = absl::StrCat("server ", add.member.id.value(),
                                  " was removed: it can come back with an empty data dir")},
          {});
    return;
  }
  if (next.members.size() >= model::kMembersMax) {
    Reply(ordered,
          {.reason = Reason::kInvalidArgument,
           .detail = absl::StrCat("an ensemble has at most ", model::kMembersMax, " members")},
          {});
    return;
  }
  model::Member member = add.member;
  member.role = model::Member::Role::kLearner;
  const auto place = std::find_if(next.members.begin(), next.members.end(),
                                  [&](const model::Member& other) { return other.id > member.id; });
  next.members.insert(place, std::move(member));
  ProposeMembership(ordered, next);
}

void Replica::Obey(Ordered ordered, const io::PromoteMember& promote) {
  model::Membership next = raft_.membership();
  model::Member* member = next.Find(promote.id);
  if (member == nullptr) return ReplyOnceApplied(ordered, NoSuchMember(promote.id));
  if (member->role == model::Member::Role::kVoter) {
    return ReplyOnceApplied(ordered, {});
  }
  const raft::Progress* progress = raft_.FindProgress(promote.id);
  if (progress == nullptr || !member->storage ||
      progress->match() + kCaughtUpRevisions < raft_.committed()) {
    return Reply(ordered,
                 {.reason = Reason::kBehind,
                  .detail = absl::StrCat("member ", promote.id.value(), " has not caught up yet")},
                 {});
  }
  size_t voters = 0;
  for (const model::Member& other : next.members) {
    voters += other.role == model::Member::Role::kVoter;
  }
  if (voters >= model::kVotersMax) {
    return Reply(ordered,
                 {.reason = Reason::kInvalidArgument,
                  .detail = absl::StrCat("an ensemble has at most ", model::kVotersMax, " voters")},
                 {});
  }
  member->role = model::Member::Role::kVoter;
  ProposeMembership(ordered, next);
}

void Replica::Obey(Ordered ordered, const io::RemoveMember& remove) {
  model::Membership next = raft_.membership();
  const model::Member* member = next.Find(remove.id);
  if (member == nullptr) return ReplyOnceApplied(ordered, NoSuchMember(remove.id));
  if (remove.id == options_.id) {
    if (Error error = CheckConfig(ordered); !error.ok()) {
      return Reply(ordered, std::move(error), {});
    }
    // It hands over first; whoever asked asks the next leader.
    if (!raft_.transferring() && !raft_.TransferLeadership(now_, {}).ok()) {
      Reply(ordered,
            {.reason = Reason::kInvalidArgument, .detail = "there is no other voter to lead"}, {});
    }
    return;
  }
  std::erase_if(next.members, [&](const model::Member& other) { return other.id == remove.id; });
  ProposeMembership(ordered, next);
}

void Replica::Obey(Ordered ordered, const io::TransferLeadership& transfer) {
  if (transfer.to == options_.id) return Reply(ordered, {}, machine_->applied());
  if (transfer.to && raft_.membership().Find(transfer.to) == nullptr) {
    return Reply(ordered, NoSuchMember(transfer.to), {});
  }
  const absl::Status started = raft_.TransferLeadership(now_, transfer.to);
  if (!started.ok() && !absl::IsAborted(started)) {
    return Reply(ordered,
                 {.reason = Reason::kInvalidArgument, .detail = std::string(started.message())},
                 {});
  }
  ordered_transfers_.push_back(ordered);
}

// A change that is not applied yet may be what the caller does not know of.
Error Replica::CheckConfig(const Ordered& ordered) const {
  if (!ordered.config) return {};
  if (raft_.membership_index() > machine_->applied()) {
    return {.reason = Reason::kConfigInProgress, .detail = "the membership is being changed"};
  }
  if (machine_->config_revision() == ordered.config) return {};
  return {.reason = Reason::kBadVersion,
          .detail = "the configuration has changed meanwhile",
          .expected = static_cast<int64_t>(ordered.config.value()),
          .actual = static_cast<int64_t>(machine_->config_revision().value())};
}

void Replica::ProposeMembership(Ordered ordered, const model::Membership& next) {
  if (Error error = CheckConfig(ordered); !error.ok()) return Reply(ordered, std::move(error), {});
  const absl::StatusOr<model::Revision> index =
      raft_.Propose(now_, model::EntryKind::kMembership, codec::EncodeMembership(next));
  if (index.ok()) {
    verdicts_[*index].push_back({ordered, {}});
    retired_.Follow(next);  // applied it may be much later, by a leader whose disk is slow
    IntroducePeers();
    update_peers_ = true;
    return;
  }
  Reply(ordered,
        {.reason = absl::IsAborted(index.status()) ? Reason::kConfigInProgress : Reason::kNoLeader,
         .detail = std::string(index.status().message())},
        {});
}

// What it says of the newest membership.
void Replica::ReplyOnceApplied(Ordered ordered, Error error) {
  const model::Revision index = raft_.membership_index();
  if (index <= machine_->applied()) return Reply(ordered, std::move(error), index);
  verdicts_[index].push_back({ordered, std::move(error)});
}

void Replica::Reply(Ordered ordered, Error error, model::Revision revision) {
  if (ordered.id == 0) return;  // nobody asked
  if (ordered.from) {
    Mail(ordered.from, io::AdminReply{ordered.id, std::move(error), revision, raft_.leader()});
    return;
  }
  const auto found = administrations_.find(ordered.id);
  if (found == administrations_.end()) return;
  // A leader may have removed it, and died before it said so.
  const bool gone = error.reason == Reason::kNoNode && found->second.was_there;
  if (error.ok() || gone) {
    found->second.answer_at = std::max(revision, model::Revision(1));
    return;
  }
  Refuse(found->second.responder, std::move(error));
  administrations_.erase(found);
}

void Replica::OnMembershipApplied(model::Revision revision) {
  update_peers_ = true;
  retired_.Follow(machine_->membership());
  const auto found = verdicts_.find(revision);
  if (found != verdicts_.end()) {
    for (Verdict& verdict : found->second) {
      Reply(verdict.ordered, std::move(verdict.error), revision);
    }
    verdicts_.erase(found);
  }
  for (const model::Member& member : machine_->membership().members) {
    channels_.LetIn(member.id, member.storage);
  }
  if (!IsLeader()) return;
  // Who was removed is told so.
  std::vector<io::ChannelId> strangers;
  for (const auto& [id, channel] : channels_.all()) {
    if (raft_.membership().Find(id) == nullptr && !channel.hello.joins) {
      strangers.push_back(channel.id);
    }
  }
  for (const io::ChannelId channel : strangers) {
    adapters_.peers->Refuse(channel, io::Refusal::kNotAMember, "the server was removed");
    channels_.Close(channel);
  }
}

// --- What members say of themselves -----------------------------------------------------------

// A server that asks to be let in becomes a learner; a member whose addresses or versions have
// changed is described anew. One change at a time, each an entry of the log.
void Replica::TendMembers() {
  if (now_ < next_tend_) return;
  next_tend_ = now_ + kTendInterval;
  // Whoever has not answered may have had no channel for its answer.
  if (forming_) {
    for (const model::ServerId id : forming_->Missing()) Announce(id);
  }
  if (IsLeader() && raft_.transferring()) return;
  for (const auto& [id, channel] : channels_.all()) {
    const io::PeerHello& hello = channel.hello;
    const model::Member* member = raft_.membership().Find(id);
    if (member == nullptr) {
      if (!hello.joins || raft_.membership().members.empty()) continue;
      model::Member joiner = hello.self;
      joiner.id = id;
      joiner.storage = hello.storage;
      if (IsLeader()) {
        return Obey(Ordered{}, io::AddMember{std::move(joiner)});
      }
      if (raft_.leader()) Mail(raft_.leader(), io::AdminRequest{0, io::AddMember{joiner}, {}});
      continue;
    }
    if (!IsLeader() || (member->storage && member->storage != hello.storage)) continue;
    const model::Member described = Described(*member, hello);
    if (*member == described) continue;
    model::Membership next = raft_.membership();
    *next.Find(id) = described;
    return ProposeMembership({}, next);
  }
  const model::Member* self = raft_.membership().Find(options_.id);
  if (!IsLeader() || self == nullptr) return;
  model::Member described = options_.self;
  described.role = self->role;
  if (*self == described) return;
  model::Membership next = raft_.membership();
  *next.Find(options_.id) = described;
  ProposeMembership({}, next);
}

}  // namespace pando::replica
