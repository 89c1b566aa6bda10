// InitialState: the nodes that a stream's targets cover, as they are when it opens (send_initial).
//
// A node that several targets cover is sent once, with its data if one of them wants data. NODE
// covers the node, CHILDREN the direct children, SUBTREE the node and all below it. As for events:
// a node is shown to whoever may read it, and as a child to whoever may read its parent, then
// without its data.
#ifndef PANDO_REPLICA_INITIAL_STATE_H_
#define PANDO_REPLICA_INITIAL_STATE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "io/client.h"
#include "io/event.h"
#include "io/store.h"
#include "machine/machine.h"
#include "model/acl.h"
#include "model/ids.h"
#include "model/reply.h"
#include "model/watch.h"

namespace pando::replica {

class InitialState {
 public:
  InitialState(std::vector<model::WatchTarget> targets, std::vector<model::Identity> identities);

  // All covered nodes, a parent before its children; nothing if they are more than one turn of the
  // core thread should read (kWalkInTurnNodesMax, kWalkInTurnBytesMax).
  std::optional<model::WalkResult> FromMemory(const machine::Machine& machine) const;

  // The parts of the state that hold covered nodes, for a scan: sorted, without overlap. All ACLs
  // come first, and the parents of covered children.
  std::vector<io::Scan::Range> Ranges() const;

  // Filters a scan of Ranges() into the stream's Outbox and posts InitialSent when it is through;
  // a scan that breaks off ends the stream.
  std::shared_ptr<io::ScanSink> MakeScanSink(model::StreamId stream,
                                             std::shared_ptr<io::Stream> outbox,
                                             std::function<void(io::Event)> post) const;

  const std::vector<model::Identity>& identities() const { return identities_; }
  // Whether the children of `path` are covered as such.
  bool IsParent(std::string_view path) const;

  // Whether a node is shown, and if so whether with its data.
  struct Cover {
    bool covered = false;
    bool with_data = false;
  };
  // `readable`: the node may be read; `parent_readable` its parent.
  Cover Covers(std::string_view path, bool readable, bool parent_readable) const;

 private:
  std::vector<model::WatchTarget> targets_;
  std::vector<model::Identity> identities_;
};

}  // namespace pando::replica

#endif  // PANDO_REPLICA_INITIAL_STATE_H_
