// From Raft's output to the disk, and from what is committed to the machine, the store, the watches
// and the callers that wait.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/command.h"
#include "codec/membership.h"
#include "model/limits.h"
#include "model/mutant.h"
#include "replica/replica.h"

namespace pando::replica {
namespace {

// Commands that were forwarded go again when none of them was applied for so long.
constexpr base::Duration kSendAgain = std::chrono::seconds(1);

}  // namespace

// --- Proposing --------------------------------------------------------------------------------

// In the order of their numbers: proposed by a leader, else forwarded to it.
void Replica::SendPending() {
  if (IsLeader()) {
    while (PendingCommand* pending = pending_.NextToSend()) {
      if (!Propose(&pending->command)) return;
      pending_.Sent();
    }
    return;
  }
  if (!Follows()) return;
  // What was lost on the way is missed when nothing comes back.
  if (now_ >= send_again_) {
    pending_.SendAgain();
    send_again_ = base::kNever;
  }
  ForwardPending(raft_.leader());
}

void Replica::ForwardPending(model::ServerId leader) {
  io::Forward forward;
  size_t bytes = 0;
  while (PendingCommand* pending = pending_.NextToSend()) {
    ++forwarded_commands_;
    if (forward.commands.empty()) forward.first = pending->command.number;
    forward.commands.push_back(codec::EncodeCommand(pending->command));
    bytes += forward.commands.back().size();
    pending_.Sent();
    if (bytes < model::kForwardBytesMax) continue;
    Mail(leader, std::exchange(forward, {}));
    bytes = 0;
  }
  if (!forward.commands.empty()) Mail(leader, std::move(forward));
  if (pending_.oldest() != nullptr && send_again_ == base::kNever) {
    send_again_ = now_ + kSendAgain;
  }
}

void Replica::ProposeOwn(model::CommandBody body) {
  model::Command command;
  command.body = std::move(body);
  Propose(&command);
}

// False: it does not lead any more, or hands over.
bool Replica::Propose(model::Command* command) {
  // The leader's clock stamps; the machine takes the larger of this and the stamp before it.
  command->stamp = wall_;
  return raft_.Propose(now_, model::EntryKind::kCommand, codec::EncodeCommand(*command)).ok();
}

// --- Obeying Raft -----------------------------------------------------------------------------

void Replica::Obey(raft::Output output) {
  if (output.append) adapters_.log->Append(std::move(*output.append));
  if (output.role) OnRole(*output.role);
  for (auto& [to, message] : output.messages) Mail(to, std::move(message));
  ApplyAll(output.committed);
  for (const raft::ReadGrant& grant : output.reads) OnGrant(grant);
  for (const raft::LogRead& read : output.log_reads) {
    adapters_.log->Read(read.first, read.bytes_max);
  }
  for (const model::ServerId to : output.snapshots) StartSnapshot(to);
}

void Replica::OnRole(const raft::RoleChange& role) {
  Tell(absl::StrCat("role ", raft::RoleName(role.role), " in term ", role.term.value(), ", leader ",
                    role.leader.value()));
  if (role.leader && role.leader != std::exchange(last_leader_, role.leader)) ++leader_changes_;
  streams_.SetLeader(bool{role.leader}, now_);
  pending_.SendAgain();
  send_again_ = base::kNever;
  FailRenewals(renewals_.TakeAll());
  next_report_ = now_;
  pins_.clear();
  if (role.role == raft::Role::kLeader) {
    Lead();
  } else {
    if (!Is(model::Mutant::kExpiryUnconfirmed)) leases_.Stop();
    expiry_round_ = expiry_confirmed_ = false;
  }
  OnLeaderChangeForAdministration();
}

void Replica::Lead() {
  leads_in_ = raft_.term();
  leads_from_ = raft_.last_index();
  std::vector<session::Leases::Timeout> sessions;
  for (const auto& [id, session] : machine_->sessions()) {
    sessions.push_back({id, std::chrono::milliseconds(session.record.timeout_ms)});
  }
  leases_.Start(sessions, options_.raft.election_max, now_);
  next_reap_ = now_ + options_.reap_interval;
  next_tend_ = now_;
  taken_.clear();
  digests_.ForgetReports();
  proposed_version_ = 0;
  IntroducePeers();
  if (raft_.membership_index() == model::Revision()) {
    // The log's first membership is the one that it was founded with.
    const auto founded = raft_.Propose(now_, model::EntryKind::kMembership,
                                       codec::EncodeMembership(raft_.membership()));
    CHECK(founded.ok());
  }
  if (!machine_->cluster()) {
    ProposeOwn(model::Found{.cluster = model::ClusterId(rng_.Next() | 1)});
  }
}

// Whose channel is older than this leader, or than their own membership: Raft has to know their
// lives all the same, or it would not miss what one of them loses.
void Replica::IntroducePeers() {
  for (const auto& [id, channel] : channels_.all()) {
    const io::PeerHello& hello = channel.hello;
    if (!IsMember(hello)) continue;
    // Nothing is known of an earlier life.
    const bool fine = raft_.PeerStarted(now_, id, hello.start, hello.term, hello.last);
    CHECK(fine);
  }
}

void Replica::OnGrant(const raft::ReadGrant& grant) {
  if (grant.id != kExpiryRead) {
    std::optional<model::Revision> last;
    if (IsLeader()) last = LastKnown();
    for (Read& read : reads_.Grant(grant.id.value(), grant.index, last)) {
      Refuse(read.responder,
             {.reason = model::Reason::kInvalidArgument,
              .detail = absl::StrCat("min_revision ", read.needs.value(), " was never given out")});
    }
    return;
  }
  expiry_confirmed_ = expiry_round_;
  expiry_round_ = false;
}

// --- Applying ---------------------------------------------------------------------------------

void Replica::ApplyHeldBack() {
  while (!held_back_.empty() && !installing_ && !Stalled()) {
    const raft::EntryRef entry = std::move(held_back_.front());
    held_back_.pop_front();
    Apply(*entry);
  }
}

void Replica::ApplyAll(const std::vector<raft::EntryRef>& entries) {
  if (entries.empty()) return;
  const base::Instant started = observer_.clock ? observer_.clock() : base::Instant();
  for (const raft::EntryRef& entry : entries) {
    if (installing_ || Stalled() || !held_back_.empty()) {
      held_back_.push_back(entry);
    } else {
      Apply(*entry);
    }
  }
  if (observer_.clock && observer_.on_apply) {
    observer_.on_apply(observer_.clock() - started, entries.size());
  }
}

void Replica::Apply(const model::Entry& entry) {
  switch (entry.kind) {
    case model::EntryKind::kCommand: {
      model::Command command;
      if (!codec::DecodeCommand(entry.payload, &command)) {
        base::Fatal(absl::StrCat("log entry ", entry.index.value(), " is no command"));
      }
      if (Is(model::Mutant::kLocalClockApplied)) command.stamp = wall_;
      if (const auto* set = std::get_if<model::SetMachineVersion>(&command.body)) {
        OnMachineVersion(entry.index, set->version);
      }
      machine::Applied applied = machine_->Apply(entry.index, command);
      Finish(entry, std::move(applied), &command);
      return;
    }
    case model::EntryKind::kMembership: {
      model::Membership membership;
      if (!codec::DecodeMembership(entry.payload, &membership)) {
        base::Fatal(absl::StrCat("log entry ", entry.index.value(), " is no membership"));
      }
      Finish(entry, machine_->ApplyMembership(entry.index, membership), nullptr);
      OnMembershipApplied(entry.index);
      return;
    }
    case model::EntryKind::kNoop:
      Finish(entry, machine_->ApplyNoop(entry.index), nullptr);
      return;
  }
}

// The leader raises it only when every member supports it; but a binary may have been replaced by
// an older one since.
void Replica::OnMachineVersion(model::Revision revision, uint32_t version) {
  if (version > options_.self.version_max) {
    base::Fatal(absl::StrCat("log entry ", revision.value(), " raises the machine to version ",
                             version, ", and this binary supports up to ",
                             options_.self.version_max, ": take a newer one"));
  }
  Tell(absl::StrCat("the machine is of version ", version, " from revision ", revision.value(),
                    " on"));
}

// One delta, three readers: the watches and the store here, the caller's reply last, so that the
// reply's stream_revision covers the events of its own write.
void Replica::Finish(const model::Entry& entry, machine::Applied applied,
                     const model::Command* command) {
  CHECK(machine_->applied() == entry.index);
  streams_.Publish(entry.index, applied.changes);

  const size_t bytes = applied.delta.bytes();
  unstored_.emplace_back(entry.index, bytes);
  unstored_bytes_ += bytes;
  adapters_.store->Write({.revision = entry.index,
                          .term = entry.term,
                          .digest = machine_->digest(),
                          .delta = std::move(applied.delta),
                          .changes = std::move(applied.changes)});
  UpdateRefusals();
  for (auto& [id, pin] : pins_) pin.bytes += entry.bytes();
  if (Digests::IsDue(entry.index)) TellDigest(entry.index);

  if (command == nullptr || !applied.effective) return;
  FollowSessions(*command, applied.reply);
  if (command->source != pending_.source()) return;
  PendingCommand pending = pending_.TakeApplied(command->number);
  send_again_ = pending_.oldest() == nullptr ? base::kNever : now_ + kSendAgain;
  if (pending.answered) return;
  if (observer_.on_commit) observer_.on_commit(now_ - pending.arrived);
  Answer(pending.responder, command->session, std::move(applied.reply));
  // A read that stood behind that command is not to see what comes after it.
  if (lanes_.has_fronts()) RunReads();
}

// Leases follow the session table; they run on the leader only.
void Replica::FollowSessions(const model::Command& command, const model::Reply& reply) {
  if (const auto* expire = std::get_if<model::ExpireSessions>(&command.body)) {
    for (const model::SessionId session : expire->sessions) leases_.Drop(session);
    return;
  }
  if (!reply.ok()) return;
  if (std::holds_alternative<model::OpenSession>(command.body)) {
    const auto& opened = std::get<model::SessionResult>(reply.result);
    leases_.Grant(opened.session, std::chrono::milliseconds(opened.timeout_ms), now_);
  } else if (const auto* reattach = std::get_if<model::ReattachSession>(&command.body)) {
    leases_.Change(reattach->session, std::chrono::milliseconds(reattach->timeout_ms), now_);
  } else if (const auto* close = std::get_if<model::CloseSession>(&command.body)) {
    leases_.Drop(close->session);
  } else if (std::holds_alternative<model::Found>(command.body)) {
    update_peers_ = true;
    if (observer_.on_cluster) observer_.on_cluster(machine_->cluster());
  }
}

}  // namespace pando::replica
