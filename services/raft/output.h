// What Raft wants done. The order of its members is the contract: what is in `append` is handed to
// the disk before anything that was promised because of it leaves the server.
#ifndef PANDO_RAFT_OUTPUT_H_
#define PANDO_RAFT_OUTPUT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/strong.h"
#include "model/entry.h"
#include "model/formation.h"
#include "model/ids.h"
#include "model/reply.h"
#include "raft/message.h"

namespace pando::raft {

using Role = model::EnsembleStatus::Role;
const char* RoleName(Role role);

// Appends are numbered 1, 2, 3, …; they are on disk in that order.
using AppendId = base::Strong<struct AppendIdTag>;

// What has to be on disk, in one unit: all of it or, after a crash, perhaps none.
struct Append {
  AppendId id;
  // Hard state, whole whenever either changed; it holds before the entries of the same append.
  struct Vote {
    model::Term term;
    model::ServerId vote;
  };
  std::optional<Vote> vote;
  // What a server without data has to remember until its ensemble is formed; whole whenever it
  // changed. Not Raft's own, but it goes the same way.
  std::optional<model::Formation> formation;
  // Contiguous; the log's own. Entries at and above the first one's index that were appended before
  // are cut.
  std::vector<EntryRef> entries;
};

// What a server has no room for.
struct Capacity {
  bool no_space = false;    // on its disk
  bool overloaded = false;  // the edges shall refuse writes
  bool stalled = false;     // it applies nothing until its store has caught up

  // Otherwise it neither takes nor acknowledges what is new; it votes all the same.
  bool takes_entries() const { return !no_space && !stalled; }
  friend bool operator==(const Capacity&, const Capacity&) = default;
};

// Chosen by the caller of Read; comes back with the grant.
using ReadId = base::Strong<struct ReadIdTag>;

struct RoleChange {
  Role role = Role::kFollower;
  model::Term term;
  model::ServerId leader;  // none: unknown
};

struct ReadGrant {
  ReadId id;
  model::Revision index;  // the read may run once this is applied
};

struct LogRead {
  model::Revision first;
  size_t bytes_max = 0;
};

struct Output {
  std::optional<Append> append;
  std::optional<RoleChange> role;
  std::vector<std::pair<model::ServerId, Message>> messages;
  std::vector<EntryRef> committed;  // in order, each once
  std::vector<ReadGrant> reads;
  std::vector<LogRead> log_reads;
  // Followers that need a snapshot; each is asked for once, until SnapshotSent.
  std::vector<model::ServerId> snapshots;

  bool empty() const {
    return !append && !role && messages.empty() && committed.empty() && reads.empty() &&
           log_reads.empty() && snapshots.empty();
  }
};

}  // namespace pando::raft

#endif  // PANDO_RAFT_OUTPUT_H_
