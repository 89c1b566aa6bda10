#include "machine/machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "machine/execution.h"
#include "model/mutant.h"
#include "model/zookeeper.h"

namespace pando::machine {

absl::Status Machine::FinishLoad(model::Revision applied, uint64_t digest) {
  CHECK(!applied_);
  PANDO_RETURN_IF_ERROR(state_.CheckLoaded());
  if (state_.digest() != digest) {
    return absl::DataLossError(absl::StrCat("the digest is ", absl::Hex(state_.digest()),
                                            ", but the state was stored with ", absl::Hex(digest)));
  }
  applied_ = applied;
  return absl::OkStatus();
}

// --- Applying ---------------------------------------------------------------------------------

void Machine::Begin(model::Revision revision) {
  CHECK(revision > applied_);
  applied_ = revision;
  changes_ = std::make_shared<model::ChangeBatch>();
  changes_->revision = revision;
}

Applied Machine::End(model::Reply reply) {
  Applied applied;
  if (!reply.revision) reply.revision = applied_;
  applied.reply = std::move(reply);
  if (!changes_->changes.empty()) applied.changes = std::move(changes_);
  changes_ = nullptr;
  applied.delta = state_.TakeDelta();
  return applied;
}

// The next number of its source, or the first of a later start.
bool Machine::InOrder(const model::Command& command) const {
  if (!command.source.storage) return true;
  const codec::SourceRecord last = state_.SourceOf(command.source.storage);
  if (Is(model::Mutant::kFifoBroken)) return command.number > last.number;
  if (command.source.start == last.start) return command.number == last.number + 1;
  return command.source.start > last.start && command.number == model::SourceNumber(1);
}

Applied Machine::Apply(model::Revision revision, const model::Command& command) {
  Begin(revision);
  if (!InOrder(command)) {
    Applied applied = End({});
    applied.effective = false;
    return applied;
  }
  if (command.source.storage) {
    state_.PutSource(command.source.storage, {command.source.start, command.number});
  }
  // Time does not go back, whatever the leaders' clocks say.
  if (command.stamp > state_.stamp()) state_.PutStamp(command.stamp);
  return End(Execution(&state_, revision, command, &changes_->changes).Run());
}

Applied Machine::ApplyMembership(model::Revision revision, const model::Membership& membership) {
  Begin(revision);
  const model::Command nobody;
  Execution(&state_, revision, nobody, &changes_->changes).Adopt(membership);
  return End({});
}

Applied Machine::ApplyNoop(model::Revision revision) {
  Begin(revision);
  return End({});
}

Applied Machine::BeginAnew(model::Revision revision, uint64_t origin) {
  CHECK(origin != 0);
  Begin(revision);
  model::ExpireSessions all;
  for (const auto& [id, session] : state_.sessions()) all.sessions.push_back(id);
  const model::Command command{.body = std::move(all)};
  Execution execution(&state_, revision, command, &changes_->changes);
  model::Reply reply = execution.Run();
  CHECK(reply.ok());
  execution.Adopt({});  // what nodes tell of the members is not to be of the old ones
  state_.EraseEnsemble();
  state_.PutOrigin(origin);
  return End(std::move(reply));
}

// --- Reading ----------------------------------------------------------------------------------

std::vector<model::Reap::Node> Machine::DueForReap(base::WallTime wall, size_t max) const {
  std::vector<model::Reap::Node> due;
  for (const auto& [at, path] : state_.reap_index()) {
    if (at >= wall.ms || due.size() == max) break;
    const codec::NodeRecord node = state_.tree().Find(path)->record();
    due.push_back({path, node.create_revision, node.mtime});
  }
  return due;
}

model::SourceNumber Machine::LastNumberOf(const model::Source& source) const {
  const codec::SourceRecord last = state_.SourceOf(source.storage);
  return last.start == source.start ? last.number : model::SourceNumber();
}

model::Revision Machine::config_revision() const {
  const tree::Node* config = state_.tree().Find(model::kConfigPath);
  return config == nullptr ? model::Revision() : config->record().modify_revision;
}

Machine::Counts Machine::counts() const {
  const model::Usage all = state_.tree().UsageOf("/");
  return {.nodes = static_cast<uint64_t>(all.nodes),
          .data_bytes = static_cast<uint64_t>(all.bytes),
          .ephemerals = state_.ephemerals(),
          .sessions = state_.sessions().size()};
}

}  // namespace pando::machine
