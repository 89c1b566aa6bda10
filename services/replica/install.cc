// Snapshots: sent to followers that need what the log has no more, and received.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "codec/reply.h"
#include "model/limits.h"
#include "replica/machine_builder.h"
#include "replica/replica.h"

namespace pando::replica {

// --- Sending ----------------------------------------------------------------------------------

// One at a time to each. Of two, the first to arrive would be taken for the other, whose log is
// kept: its own is dropped, so that a third is needed, and no snapshot is ever new enough.
void Replica::StartSnapshot(model::ServerId to) {
  if (!sending_.insert(to).second) return;
  Tell(absl::StrCat("sends a snapshot to server ", to.value()));
  pins_[to] = {.revision = stored_};
  adapters_.store->StartScan(
      {.ranges = {}, .sink = adapters_.peers->SendSnapshot(to), .for_member = true});
}

void Replica::OnSnapshotSent(const io::SnapshotSent& sent) {
  Tell(absl::StrCat("the snapshot to server ", sent.to.value(),
                    sent.good ? " is sent" : " broke off"));
  sending_.erase(sent.to);
  if (!sent.good) pins_.erase(sent.to);
  raft_.SnapshotSent(now_, sent.to, sent.good);
}

// --- Receiving --------------------------------------------------------------------------------

void Replica::OnSnapshotReceived(io::SnapshotReceived received) {
  // The log may have come as far meanwhile, or another one is in the way.
  if (received.mark.revision <= machine_->applied() || installing_ || IsLeader()) {
    adapters_.store->Discard(received.install);
    return;
  }
  // From here until Installed nothing is applied, or the store would be told of revisions that the
  // new state has already.
  adapters_.store->Install(received.install);
  installing_ = std::move(received);
}

void Replica::OnInstalled(const io::Installed& installed) {
  CHECK(installing_);
  CHECK(installing_->install == installed.install);
  const io::StateMark mark = installing_->mark;
  // All that is on its way to the log, before the log begins anew.
  for (raft::Output output = raft_.Take(now_); !output.empty(); output = raft_.Take(now_)) {
    Obey(std::move(output));
  }
  machine_ = static_cast<MachineBuilder*>(installing_->state.get())->Take();
  CHECK(machine_->applied() == mark.revision);
  installing_.reset();
  forming_.reset();
  std::erase_if(held_back_, [&](const auto& entry) { return entry->index <= mark.revision; });
  raft_.Installed(now_, mark.revision, mark.term, machine_->membership());
  retired_.Follow(machine_->membership());
  adapters_.log->Reset(mark.revision, mark.term);
  CheckOwnPlace();

  stored_ = mark.revision;
  first_kept_ = std::max(first_kept_, mark.revision + 1);
  unstored_.clear();
  unstored_bytes_ = 0;
  streams_.Restart(mark.revision);
  update_peers_ = true;
  if (machine_->cluster() && observer_.on_cluster) observer_.on_cluster(machine_->cluster());
  AnswerCovered();
  UpdateRefusals();
  ApplyHeldBack();
  Tell(absl::StrCat("installed a snapshot at revision ", mark.revision.value()));
}

// Commands of this server that the snapshot has applied already: what was kept of their replies is
// their answer; of the others nobody knows it any more.
void Replica::AnswerCovered() {
  const model::SourceNumber last = machine_->LastNumberOf(pending_.source());
  while (pending_.oldest() != nullptr && pending_.oldest()->command.number <= last) {
    const PendingCommand pending = pending_.TakeApplied(pending_.oldest()->command.number);
    if (pending.answered) continue;
    const model::Command& command = pending.command;
    const session::Session* session = machine_->FindSession(command.session);
    if (session != nullptr && command.request) {
      const auto kept = session->kept.find(command.request);
      if (kept != session->kept.end()) {
        model::Reply reply;
        CHECK(codec::DecodeReply(kept->second.reply, &reply));
        Answer(pending.responder, command.session, std::move(reply));
        continue;
      }
    }
    Refuse(pending.responder, {.reason = model::Reason::kTimeout,
                               .detail = "applied by a snapshot: its answer is not known",
                               .maybe_applied = true});
  }
}

}  // namespace pando::replica
