// Machine: what the log's entries mean. Deterministic: the same entries give the same state, the
// same bytes and the same replies on every server.
//
// Apply is total: bad input is an error reply, and no input stops the process. Limits that flags
// set are checked before a command is proposed, never here.
//
// Owned by the core thread.
#ifndef PANDO_MACHINE_MACHINE_H_
#define PANDO_MACHINE_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "machine/state.h"
#include "model/acl.h"
#include "model/change.h"
#include "model/command.h"
#include "model/ids.h"
#include "model/membership.h"
#include "model/query.h"
#include "model/record.h"
#include "model/reply.h"

namespace pando::machine {

// What one entry did: a delta, and the views of it.
struct Applied {
  // False: a command out of its source's order; it had no effect and has no reply.
  bool effective = true;
  model::Reply reply;
  std::shared_ptr<const model::ChangeBatch> changes;  // null: none
  model::Delta delta;
};

class Machine {
 public:
  // --- Loading, before anything else ----------------------------------------------------------

  // One record; all come in the order of keys. DATA_LOSS: no record of this program.
  [[nodiscard]] absl::Status Load(std::string_view key, std::string_view value) {
    return state_.Load(key, value);
  }
  // After the last one. DATA_LOSS: what was loaded is not the state with this digest.
  [[nodiscard]] absl::Status FinishLoad(model::Revision applied, uint64_t digest);

  // --- Applying -------------------------------------------------------------------------------

  // REQUIRES, of all four: revisions strictly increase.
  Applied Apply(model::Revision revision, const model::Command& command);
  Applied ApplyMembership(model::Revision revision, const model::Membership& membership);
  Applied ApplyNoop(model::Revision revision);
  // What the ensemble of a restored backup begins with: the nodes, without the ensemble that they
  // were of, its sessions and what those own. `origin` tells who else begins with it.
  Applied BeginAnew(model::Revision revision, uint64_t origin);

  // --- Reading --------------------------------------------------------------------------------

  model::Reply Query(const model::Query& query) const;
  // Whether the node is there, and `identities` have READ on it.
  bool MayRead(const std::vector<model::Identity>& identities, std::string_view path) const;

  // Null: there is no such session.
  const session::Session* FindSession(model::SessionId id) const { return state_.FindSession(id); }
  const session::SessionTable& sessions() const { return state_.sessions(); }
  // Container and TTL nodes that look due at `wall`, at most `max`.
  std::vector<model::Reap::Node> DueForReap(base::WallTime wall, size_t max) const;

  model::Revision applied() const { return applied_; }
  uint64_t digest() const { return state_.digest(); }
  // None until the ensemble's first command is applied.
  model::ClusterId cluster() const { return state_.cluster(); }
  // Of the backup that the ensemble began with; 0: it began with nothing.
  uint64_t origin() const { return state_.origin(); }
  const model::Membership& membership() const { return state_.membership(); }
  // Of what /zookeeper/config holds; none: there is no such node.
  model::Revision config_revision() const;

  // Of the last numbered command of this source that was applied; none: there was none.
  model::SourceNumber LastNumberOf(const model::Source& source) const;
  // It behaves by this version.
  uint32_t version() const { return state_.version(); }

  struct Counts {
    uint64_t nodes = 0;
    uint64_t data_bytes = 0;
    uint64_t ephemerals = 0;
    uint64_t sessions = 0;
  };
  Counts counts() const;

 private:
  void Begin(model::Revision revision);
  Applied End(model::Reply reply);
  bool InOrder(const model::Command& command) const;

  State state_;
  model::Revision applied_;
  std::shared_ptr<model::ChangeBatch> changes_;  // of the command at hand; null: none yet
};

}  // namespace pando::machine

#endif  // PANDO_MACHINE_MACHINE_H_
