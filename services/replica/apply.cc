// From Raft's output to the disk, and from what is committed to the machine, the store, the watches
// and the callers that wait.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/command.h"
#include "codec/membership.h"
#include "replica/replica.h"

namespace pando::replica {

// --- Proposing --------------------------------------------------------------------------------

void Replica::SendPending(PendingCommand& pending) {
  if (raft_.role() != model::EnsembleStatus::Role::kLeader) return;  // OnRole sends it
  pending.sent = true;
  Propose(pending.command);
}

void Replica::ProposeOwn(model::CommandBody body) {
  model::Command command;
  command.body = std::move(body);
  Propose(std::move(command));
}

void Replica::Propose(model::Command command) {
  // The leader's clock stamps; the machine takes the larger of this and the stamp before it.
  command.stamp = wall_;
  const absl::StatusOr<model::Revision> index =
      raft_.Propose(now_, model::EntryKind::kCommand, codec::EncodeCommand(command));
  // The role was just checked, and no limit of Raft's refuses a numbered command.
  CHECK(index.ok());
}

// --- Obeying Raft -----------------------------------------------------------------------------

void Replica::Obey(raft::Output output) {
  if (output.append) adapters_.log->Append(std::move(*output.append));
  if (output.role) OnRole(*output.role);
  ApplyAll(output.committed);
  for (const raft::ReadGrant& grant : output.reads) OnGrant(grant);
  for (const raft::LogRead& read : output.log_reads) {
    adapters_.log->Read(read.first, read.bytes_max);
  }
}

void Replica::OnRole(const raft::RoleChange& role) {
  using Role = model::EnsembleStatus::Role;
  if (observer_.on_event) {
    observer_.on_event(absl::StrCat("role ", raft::RoleName(role.role), " in term ",
                                    role.term.value(), ", leader ", role.leader.value()));
  }
  streams_.SetLeader(bool{role.leader}, now_);
  if (role.role != Role::kLeader) {
    leases_.Stop();
    expiry_round_ = expiry_confirmed_ = false;
    return;
  }
  std::vector<session::Leases::Timeout> sessions;
  for (const auto& [id, session] : machine_->sessions()) {
    sessions.push_back({id, std::chrono::milliseconds(session.record.timeout_ms)});
  }
  leases_.Start(sessions, options_.election_timeout_max, now_);
  next_reap_ = now_ + options_.reap_interval;
  if (!machine_->cluster()) {
    const auto founded = raft_.Propose(now_, model::EntryKind::kMembership,
                                       codec::EncodeMembership(options_.initial_membership));
    CHECK(founded.ok());
    ProposeOwn(model::Found{.cluster = model::ClusterId(rng_.Next() | 1)});
  }
  pending_.ForEach([this](PendingCommand& pending) { SendPending(pending); });
}

void Replica::OnGrant(const raft::ReadGrant& grant) {
  if (grant.id != kExpiryRead) {
    reads_.Grant(grant.id.value(), grant.index);
    return;
  }
  expiry_confirmed_ = expiry_round_;
  expiry_round_ = false;
}

// --- Applying ---------------------------------------------------------------------------------

void Replica::ApplyAll(const std::vector<raft::EntryRef>& entries) {
  if (entries.empty()) return;
  const base::Instant started = observer_.clock ? observer_.clock() : base::Instant();
  for (const raft::EntryRef& entry : entries) {
    if (unstored_bytes_ >= model::kUnstoredBytesMax || !held_back_.empty()) {
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
      return;
    }
    case model::EntryKind::kNoop:
      Finish(entry, machine_->ApplyNoop(entry.index), nullptr);
      return;
  }
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

  if (command == nullptr || !applied.effective) return;
  FollowSessions(*command, applied.reply);
  if (command->source != pending_.source()) return;
  PendingCommand pending = pending_.TakeApplied(command->number);
  if (pending.answered) return;
  if (observer_.on_commit) observer_.on_commit(now_ - pending.arrived);
  Answer(pending.responder, command->session, std::move(applied.reply));
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
  } else if (const auto* close = std::get_if<model::CloseSession>(&command.body)) {
    leases_.Drop(close->session);
  } else if (std::holds_alternative<model::Found>(command.body)) {
    if (observer_.on_cluster) observer_.on_cluster(machine_->cluster());
  }
}

}  // namespace pando::replica
